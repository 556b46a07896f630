"""``make run``'s demo for real: one command, and later two videos have their scores. Real jobs, a tiny model."""

from __future__ import annotations

import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.installation import Installation
from tests.jobs.servers import wait_for


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path, DEMO="1", DEMO_MINUTES="0")
    yield made
    made.close()


@pytest.mark.timeout(600)
def test_one_command_and_later_both_videos_have_their_scores(studio: Installation) -> None:
    process = studio.up()
    with urllib.request.urlopen(f"{studio.url}/sign-in/", timeout=10) as page:
        assert "demo@localhost" in page.read().decode()
    # One kill at the beginning: another process goes on where it was.
    wait_for(lambda: studio.pid_of("demo_project"), 30, "the demo's process is there")
    os.kill(studio.pid_of("demo_project"), signal.SIGKILL)
    wait_for(lambda: studio.ask("select state from demo_demo") == [("done",)], 500, "the demo is done")
    kinds = "select kind, count(*) from jobs_job where state = 'done' group by kind order by kind"
    assert studio.ask(kinds) == [("convert", 2), ("extract", 2), ("intake", 4), ("score", 2), ("train", 1)]
    assert studio.ask("select count(*) from jobs_job") == [(11,)]
    wait_for(lambda: not studio.pid_of("demo_project"), 10, "its process has ended")
    assert len(list(studio.folder.glob("files/jobs/*/result.mp4"))) == 2
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert studio.output().count("demo_project: killed by SIGKILL") == 1
    assert "demo_project: ended" not in studio.output()

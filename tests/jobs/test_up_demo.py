"""``make run``'s demo for real: one command, and later two videos have their scores. Real jobs, a tiny model."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs import servers
from tests.jobs.backends import ROOT, kill_tree, tree
from tests.jobs.servers import free_port, wait_for


class Studio:
    """A new installation in ``folder``, in the demo's mode."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        mode = {"DJANGO_SETTINGS_MODULE": "webapp.settings.development", "DEMO": "1", "DEMO_MINUTES": "0"}
        self.environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | mode
        self.environment["DATA_DIR"] = str(folder)
        subprocess.run(self._command("migrate", "--verbosity", "0"), cwd=ROOT, env=self.environment, check=True)
        self.process: subprocess.Popen[bytes] | None = None

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "manage.py", *words]

    def up(self) -> subprocess.Popen[bytes]:
        with (self.folder / "output.txt").open("ab") as output:
            command = self._command("up", "--port", str(self.port), "--slots", "gpu0,cpu")
            options = {"start_new_session": True, "preexec_fn": servers.end_with_parent}
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=output, stderr=output, **options
            )
        wait_for(lambda: "ready:" in self.output(), 30, f"it is ready: {self.output()}")
        return self.process

    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def ask(self, query: str) -> list[tuple[object, ...]]:
        ledger = sqlite3.connect(f"file:{self.folder}/studio.sqlite3?mode=ro", uri=True, timeout=30)
        try:
            return ledger.execute(query).fetchall()
        finally:
            ledger.close()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path)
    yield made
    if made.process is not None:
        kill_tree(made.process.pid)
        made.process.wait(10)


@pytest.mark.timeout(600)
def test_one_command_and_later_both_videos_have_their_scores(studio: Studio) -> None:
    process = studio.up()
    # One kill in the middle: the demo goes on where it was.
    wait_for(lambda: demo_pid(process.pid), 30, "the demo's process is there")
    os.kill(demo_pid(process.pid), signal.SIGKILL)
    with urllib.request.urlopen(f"http://127.0.0.1:{studio.port}/sign-in/", timeout=10) as page:
        assert "demo@localhost" in page.read().decode()
    state = "select state from demo_demo"
    wait_for(lambda: studio.ask(state) == [("done",)], 500, f"the demo is done: {studio.output()}")
    kinds = "select kind, count(*) from jobs_job where state = 'done' group by kind order by kind"
    assert studio.ask(kinds) == [("convert", 2), ("extract", 2), ("intake", 4), ("score", 2), ("train", 1)]
    assert studio.ask("select count(*) from jobs_job") == [(11,)]
    wait_for(lambda: not demo_pid(process.pid), 10, "its process has ended")
    assert len(list(studio.folder.glob("files/jobs/*/result.mp4"))) == 2
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert "demo_project: ended" not in studio.output()


def demo_pid(root: int) -> int:
    """The process of ``demo_project`` below ``root``; 0 if there is none."""
    for pid in tree(root):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"demo_project" in words:
            return pid
    return 0

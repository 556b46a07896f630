"""The body by itself: what it says, on which stream, with which exit code, and when it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.conftest import wait_for

ROOT = Path(__file__).resolve().parents[2]


def start(folder: Path, *options: str, **config: Any) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    stage = ["tests.jobs.stages.run", "tests.jobs.stages.ActConfig", str(folder / "config.json"), str(folder)]
    command = [sys.executable, "-m", "faceengine.body", *stage, *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lines_of(process: subprocess.Popen[str]) -> tuple[list[dict[str, Any]], str]:
    """Its events, and what went to standard error."""
    out, log = process.communicate(timeout=30)
    return [json.loads(line) for line in out.splitlines()], log


@pytest.fixture(params=["alone", "kept"])
def options(request: pytest.FixtureRequest) -> list[str]:
    return ["--parent", str(os.getpid())] if request.param == "kept" else []


@pytest.mark.parametrize(
    ("config", "exit_code", "last"),
    [
        ({"steps": 1}, 0, {"event": "result", "path": "counted.txt", "steps": 1, "stopped": False}),
        ({"steps": -1}, 2, {"event": "error", "code": "config.range", "text": "steps must be at least 0, not -1"}),
        (
            {"act": "input", "code": "asset.odd"},
            3,
            {"event": "error", "code": "asset.odd", "text": "an input is bad"},
        ),
        ({"act": "defect"}, 1, {"event": "error", "code": "body.defect", "text": "RuntimeError: a defect"}),
    ],
)
def test_the_last_line_and_the_exit_code_agree(
    tmp_path: Path, options: list[str], config: dict[str, Any], exit_code: int, last: dict[str, Any]
) -> None:
    process = start(tmp_path / "run", *options, **config)
    lines, _ = lines_of(process)
    assert (process.returncode, lines[-1]) == (exit_code, last)


def test_events_come_as_they_happen_and_prints_go_to_the_log(tmp_path: Path, options: list[str]) -> None:
    process = start(tmp_path / "run", *options, steps=2, every=2)
    lines, log = lines_of(process)
    assert [line["event"] for line in lines] == ["progress", "progress", "checkpoint", "result"]
    assert log == ""


def test_it_stops_when_asked(tmp_path: Path, options: list[str]) -> None:
    process = start(tmp_path / "run", *options, steps=1000)
    wait_for((tmp_path / "run" / "counted.txt").exists)
    process.terminate()
    lines, _ = lines_of(process)
    assert process.returncode == 75
    assert lines[-1]["stopped"]
    assert lines[-1]["steps"] < 1000


def test_a_signal_that_ends_it_is_seen_by_whoever_started_it(tmp_path: Path, options: list[str]) -> None:
    process = start(tmp_path / "run", *options, act="crash")
    lines_of(process)
    assert process.returncode == -signal.SIGKILL


def test_it_does_not_begin_for_a_runner_that_is_dead(tmp_path: Path) -> None:
    process = start(tmp_path / "run", "--parent", "1", steps=1)
    lines, _ = lines_of(process)
    assert (process.returncode, lines) == (-signal.SIGKILL, [])

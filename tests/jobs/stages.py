"""A stage that does whatever a body may do, well and badly, without torch: the body of a test's job."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceengine import given
from faceengine.config import Config, option
from faceengine.errors import InputError
from faceengine.events import Checkpoint, Losses, Message, OnEvent, Progress, ShouldStop
from faceengine.files import only_process, replace_file
from faceengine.jobs import kinds


@dataclass(frozen=True)
class ActConfig(Config):
    """What the stage is to do."""

    steps: int = option(3, help="how far to count", low=0)
    seconds: float = option(0.01, help="how long a step takes", low=0.0)
    every: int = option(1, help="steps between two checkpoints; 0: none", low=0)
    act: str = option("", help="what else to do, before step `at`")
    at: int = option(0, help="the step before which it is done")
    code: str = option("", help="parameter of some acts")
    video: Path | None = option(None, help="an input")
    parts: int = option(0, help="how many parts to plan")
    part: int = option(0, help="which part this is")


@dataclass(frozen=True)
class ActResult(Config):
    """How far it counted, and where that is written."""

    path: Path
    steps: int
    stopped: bool


@dataclass(frozen=True)
class JoinConfig(Config):
    """What the join of the parts needs."""

    steps: int = option(3, help="how far each part counted")
    parts: tuple[ActResult, ...] = option((), help="what the parts gave")


def plan(config: ActConfig) -> list[dict[str, Any]]:
    return [{"part": number} for number in range(config.parts)]


def run(config: ActConfig, run_dir: Path, *, on_event: OnEvent, should_stop: ShouldStop) -> ActResult:
    """Count from the last checkpoint to ``steps``. ``counted.txt`` holds every step that was ever done."""
    with only_process(run_dir):
        state = run_dir / "state.json"
        done = json.loads(state.read_text()) if state.exists() else 0
        result = ActResult(run_dir / "counted.txt", config.steps, False)
        while done < config.steps:
            if done == config.at:
                _act(config, run_dir, on_event)
            if should_stop():
                replace_file(state, json.dumps(done).encode())
                return ActResult(result.path, done, True)
            time.sleep(config.seconds)
            done += 1
            with result.path.open("a") as counted:
                counted.write(f"{done}\n")
            on_event(Progress("count", done, config.steps, "steps"))
            if config.every and done % config.every == 0:
                replace_file(state, json.dumps(done).encode())
                on_event(Checkpoint(done, "state.json"))
        if done == config.at:
            _act(config, run_dir, on_event)
        return result


def run_ranks(config: ActConfig, run_dir: Path, *, on_event: OnEvent, should_stop: ShouldStop) -> ActResult:
    """What each rank of a body does: leave its name; if there are steps to do, wait until asked to stop."""
    (run_dir / f"rank{os.environ['RANK']}.txt").write_text(f"{os.getpid()} {os.environ['WORLD_SIZE']}")
    while config.steps and not should_stop():
        time.sleep(0.05)
    return ActResult(run_dir, config.steps, bool(config.steps))


def join(config: JoinConfig, run_dir: Path, *, on_event: OnEvent, should_stop: ShouldStop) -> ActResult:
    joined = run_dir / "joined.txt"
    joined.write_text("".join(part.path.read_text() for part in config.parts))
    return ActResult(joined, len(config.parts), False)


def _act(config: ActConfig, run_dir: Path, on_event: OnEvent) -> None:
    match config.act:
        case "garbage":
            print("this is no event")
            os.write(1, b"neither is this \xff\n")
            _raw_stdout().write(b"{not json}\n\xff\xfe\n[1]\n")
            _raw_stdout().flush()
        case "garbage for an end":
            _raw_stdout().write(b"done!\n")
            _raw_stdout().flush()
            os._exit(0)
        case "input":
            raise InputError(config.code, "an input is bad")
        case "defect":
            raise RuntimeError("a defect")
        case "disk":
            Path("/dev/full").write_text("more than fits")
        case "given":
            (run_dir / "given.txt").write_text(f"{given.get(config.code)} {config.code in os.environ}")
        case "memory of several":
            hog = "import time; kept = b'x' * (120 << 20); time.sleep(60)"
            for _ in range(3):
                subprocess.Popen([sys.executable, "-c", hog])
        case "memory":
            bytearray(8 << 30)
        case "exit":
            os._exit(int(config.code))
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":  # deaf, too: a sleep goes on after a signal's handler
            time.sleep(3600)
        case "late crash":
            import atexit

            atexit.register(os.kill, os.getpid(), signal.SIGSEGV)
        case "children":
            _have_children(run_dir)
            time.sleep(3600)
        case "odd values":
            on_event(Losses(1, {"a": float("nan"), "b": float("inf")}, 1.0))
            on_event(Message("info", "odd", "nul \0 and half \ud800 a character"))


def _have_children(run_dir: Path) -> None:
    """A child that has a child, one that was forked, and one in a session of its own: none ends when it is orphaned."""
    sleep = [sys.executable, "-c", "import time; time.sleep(3600)"]
    parent = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", parent, *sleep], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert child.stdout is not None
    forked = os.fork()
    if not forked:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)
    own = subprocess.Popen(sleep, start_new_session=True)
    pids = [os.getpid(), os.getppid(), child.pid, int(child.stdout.readline()), forked, own.pid]
    replace_file(run_dir / "pids.json", json.dumps(pids).encode())


def _raw_stdout() -> Any:
    """The stream that only the body's events should go to, as a library that is out of its mind might find it."""
    for number in range(3, 64):
        try:
            if str(Path(f"/proc/self/fd/{number}").readlink()).startswith("pipe:"):
                return os.fdopen(os.dup(number), "wb")
        except OSError:
            continue
    raise AssertionError("the body has no pipe to its runner")


@contextmanager
def registered(**changes: Any) -> Iterator[None]:
    """The kinds ``act``, and ``acts``, which is split, are known while inside."""
    path = f"{__name__}.run", f"{__name__}.ActConfig"
    split = kinds.Split(f"{__name__}.plan", "act", f"{__name__}.join", f"{__name__}.JoinConfig")
    made = {
        "act": kinds.Kind("act", *path, _everybody, _everybody, **changes),
        "acts": kinds.Kind("acts", *path, _everybody, _everybody, split=split, **changes),
    }
    before = dict(kinds._KINDS)
    for kind in made.values():
        kinds.register(kind)
    yield
    kinds._KINDS.clear()
    kinds._KINDS.update(before)


def _everybody(*_: Any) -> bool:
    return True

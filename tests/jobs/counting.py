"""A kind of job for tests with real processes: counts slowly, writes down each step, goes on from where it was."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import AppConfig

from faceengine.config import Config, option
from faceengine.events import Checkpoint, OnEvent, Progress, ShouldStop, ignore, never
from faceengine.jobs import kinds


@dataclass(frozen=True)
class CountConfig(Config):
    steps: int = option(5, help="how far to count", low=1)
    seconds: float = option(0.05, help="how long a step takes", low=0.0)


@dataclass(frozen=True)
class CountResult:
    counted: int
    stopped: bool


def run(
    config: CountConfig, run_dir: Path, *, on_event: OnEvent = ignore, should_stop: ShouldStop = never
) -> CountResult:
    """One line in ``counted.txt`` for each step that was ever done."""
    steps = run_dir / "counted.txt"
    done = len(steps.read_text().splitlines()) if steps.exists() else 0
    while done < config.steps and not should_stop():
        time.sleep(config.seconds)
        with steps.open("a") as file:
            file.write(f"{done}\n")
        done += 1
        on_event(Progress("count", done, config.steps, "steps"))
        on_event(Checkpoint(done, "counted.txt"))
    return CountResult(done, stopped=done < config.steps)


def register(slot_kind: str = "cpu") -> None:
    """Make the kind ``count`` known in this process."""
    kinds.register(
        kinds.Kind("count", f"{__name__}.run", f"{__name__}.CountConfig", _anybody, _anybody, slot_kind=slot_kind)
    )


def _anybody(user: Any, job: Any) -> bool:
    return True


class CountingApp(AppConfig):
    """Makes the kind known in processes that tests start."""

    name = "tests.jobs"
    label = "counting"

    def ready(self) -> None:
        register()

"""From SIGKILL to work going on: of one body, and of all processes of a machine while another one stands by."""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.jobs import Figure, report
from bench.jobs_load import Load
from bench.jobs_studio import bodies, kill_tree, open_studio, running, wait_until

BODIES, TREES = 5, 2


def main() -> None:
    open_studio()
    load = Load()
    with running("worker", "--slots", "gpu0"):
        load.undisturbed()
        begun, working = zip(*(killed(load, kill_body) for _ in range(BODIES)), strict=True)
    trees = [tree_killed(load) for _ in range(TREES)]
    report(
        [
            _figure("SIGKILL of a body → its next one has begun", begun, 5),
            _figure("SIGKILL of a body → the next one has trained an iteration", working, None),
            _figure("SIGKILL of a worker tree → the job goes on at another machine, lease 30 s", trees, 45),
        ]
    )


def killed(load: Load, kill: Callable[[Any], None]) -> tuple[float, float]:
    """Seconds from the kill of a training until a new body has begun, and until it has trained an iteration."""
    job = load.submit("train")
    wait_until(lambda: trains(job), 120, "training goes on")
    before = job.attempt
    began = time.monotonic()
    kill(job)
    wait_until(lambda: bodies(job.id) and job_now(job).attempt > before, 120, "another body")
    begun = time.monotonic() - began
    wait_until(lambda: trains(job), 120, "training goes on again")
    return begun, time.monotonic() - began


def kill_body(job: Any) -> None:
    for pid in bodies(job.id):
        os.kill(pid, signal.SIGKILL)


def tree_killed(load: Load) -> float:
    """Seconds from the kill of one machine's processes until the other one's body has begun."""
    with running("worker", "--slots", "gpu0", JOBS_HOST="one") as first:
        job = load.submit("train")
        wait_until(lambda: trains(job), 120, "training goes on")
        with running("worker", "--slots", "gpu0", JOBS_HOST="two"):
            time.sleep(5)
            before = job_now(job).attempt
            began = time.monotonic()
            kill_tree(first.pid)
            wait_until(lambda: bodies(job.id) and job_now(job).attempt > before, 120, "the other machine's body")
            return time.monotonic() - began


def trains(job: Any) -> bool:
    """Whether the present attempt has trained an iteration."""
    now = job_now(job)
    return bool(now.events.filter(kind="losses", attempt=now.attempt).exists())


def job_now(job: Any) -> Any:
    job.refresh_from_db()
    return job


def _figure(name: str, seconds: Any, target: float | None) -> Figure:
    worst = max(seconds)
    text = f"{statistics.median(seconds):.1f} s, worst of {len(seconds)}: {worst:.1f} s"
    return Figure(name, text, "" if target is None else f"≤ {target} s", None if target is None else worst <= target)


if __name__ == "__main__":
    main()

"""Fifty random kills over a mixed load: bodies, slots and whole worker trees, at any moment of extracting, training
and converting. Afterwards nothing may be lost, done twice, done again or left over, and every result must equal that
of an undisturbed job.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from bench.jobs import Figure, report
from bench.jobs_load import KINDS, Load, outcome
from bench.jobs_studio import bodies, command_line, descendants, kill_tree, manage, of_this_studio, open_studio, stop

KILLS = int(os.environ.get("BENCH_KILLS", "50"))
SLOTS = "gpu0,gpu1"
OPEN = 4
"""Jobs that are always under way or queued while there are kills to come."""
PAUSES = (1.0, 6.0)
"""Seconds between two kills, at random."""
QUIET = 900.0
"""Seconds after the last kill in which everything must have come to its end."""
ENVIRONMENT = {"JOBS_LEASE_SECONDS": "6", "JOBS_HEARTBEAT_SECONDS": "1", "JOBS_MAX_FAILURES": "1000"}
"""A short lease, so that fifty kills take minutes, and no end of the patience with a job that is killed on purpose."""


@dataclass
class Soak:
    """The load, the workers and who kills them."""

    load: Load
    random: random.Random
    worker: subprocess.Popen[bytes]
    jobs: list[Any] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Kill until enough was killed, keeping work under way, then let everything end."""
        kinds = cycle(KINDS)
        while self.kills.total() < KILLS:
            while self.open() < OPEN:
                self.jobs.append(self.load.submit(next(kinds)))
            time.sleep(self.random.uniform(*PAUSES))
            self.kill()
        deadline = time.monotonic() + QUIET
        while self.open() and time.monotonic() < deadline:
            time.sleep(0.5)

    def open(self) -> int:
        """How many of the jobs have not ended."""
        from faceengine.jobs.models import Job
        from faceengine.jobs.states import OPEN as OPEN_STATES

        return Job.objects.filter(id__in=[job.id for job in self.jobs], state__in=OPEN_STATES).count()

    def kill(self) -> None:
        """One kill, if anybody works."""
        working = bodies()
        if not working:
            return
        what = self.random.choices(("body", "slot", "tree"), (6, 2, 2))[0]
        if what == "body":
            victim = self.random.choice(working)
        elif what == "slot":
            victim = self.random.choice([pid for pid in descendants(self.worker.pid) if is_slot(pid)] or [0])
        else:
            kill_tree(self.worker.pid)
            self.worker.wait()
            self.worker = start()
        if what != "tree":
            if not victim:
                return
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        self.kills[what] += 1
        print(f"kill {self.kills.total()}: {what}", file=sys.stderr, flush=True)


def is_slot(pid: int) -> bool:
    return "manage.py slot" in command_line(pid)


def start() -> subprocess.Popen[bytes]:
    return manage("worker", "--slots", SLOTS, **ENVIRONMENT)


def main() -> None:
    os.environ |= ENVIRONMENT
    open_studio()
    load = Load()
    seed = int(os.environ.get("BENCH_SEED", "0"))
    soak = Soak(load, random.Random(seed), start())
    try:
        load.undisturbed()
        soak.run()
    finally:
        stop(soak.worker)
    report(judge(soak, load, os.environ.get("BENCH_STACK", "SQLite")))


def judge(soak: Soak, load: Load, stack: str) -> list[Figure]:
    """What became of every job."""
    from faceengine.jobs.models import Job
    from faceengine.jobs.states import State

    jobs = list(Job.objects.filter(id__in=[job.id for job in soak.jobs]))
    done = [job for job in jobs if job.state == State.DONE]
    lost = len(soak.jobs) - len(done)
    twice = sum(times_done(job) > 1 for job in done)
    repeated = sum(iterations_repeated(job) for job in jobs if job.kind == "train")
    orphans = of_this_studio()
    kinds = Counter(job.kind for job in done)
    equal = Counter(job.kind for job in done if outcome(job) == load.wanted[job.kind])
    kills = ", ".join(f"{count} × {what}" for what, count in sorted(soak.kills.items()))
    attempts = sum(job.attempt for job in jobs)
    name = f"{soak.kills.total()} kills on {stack}"
    return [
        Figure(f"{name}: the load", f"{len(jobs)} jobs in {attempts} attempts; killed: {kills}"),
        Figure(f"{name}: jobs lost", str(lost), "0", lost == 0),
        Figure(f"{name}: jobs done twice", str(twice), "0", twice == 0),
        Figure(f"{name}: iterations before the last checkpoint repeated", str(repeated), "0", repeated == 0),
        Figure(f"{name}: processes left over", str(len(orphans)), "0", not orphans),
        *(
            Figure(f"{name}: results of {kind} equal to undisturbed", f"{equal[kind]} of {kinds[kind]}", "all",
                   equal[kind] == kinds[kind])
            for kind in KINDS
        ),
    ]  # fmt: skip


def times_done(job: Any) -> int:
    """How often the ledger said that the job was done."""
    return sum(event.data["state"] == "done" for event in job.events.filter(kind="state"))


def iterations_repeated(job: Any) -> int:
    """Iterations that an attempt did although a checkpoint that the ledger knew held them."""
    checkpoint, repeated, attempt = 0, 0, 0
    for event in job.events.filter(kind__in=("losses", "checkpoint")):
        iteration = event.data["iteration"]
        if event.kind == "losses" and event.attempt != attempt:
            attempt = event.attempt
            repeated += max(0, checkpoint - iteration + 1)
        elif event.kind == "checkpoint":
            checkpoint = max(checkpoint, iteration)
    return repeated


if __name__ == "__main__":
    main()

"""Machines that sleep, clocks that jump, processes that are stopped and go on: none of it counts as a death."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from faceengine.awake import AwakeClock, is_stopped
from faceengine.events import Checkpoint
from faceengine.jobs import transitions
from faceengine.jobs.leases import Leases
from faceengine.jobs.models import Attempt, Job, Slot
from faceengine.jobs.states import State
from tests.jobs.backends import Stack, tree
from tests.jobs.conftest import make_slot, submit
from tests.jobs.servers import wait_for

LEASE, BEAT = 30, 5


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def leases(clock: Time, settings: Any) -> Leases:
    settings.JOBS_LEASE_SECONDS, settings.JOBS_HEARTBEAT_SECONDS = LEASE, BEAT
    return Leases(clock)


@pytest.fixture
def running(act: None, slot: Slot) -> Job:
    submit()
    job = transitions.claim(slot)
    assert job is not None
    job.refresh_from_db()
    return job


def look(leases: Leases, clock: Time, seconds: float) -> int:
    """Look at every heartbeat for so long; how many jobs were taken away."""
    lost = 0
    for _ in range(round(seconds / BEAT)):
        clock.now += BEAT
        lost += leases.expire()
    return lost


# ---- who watches for a lease's length --------------------------------------------------------------------------------


def test_a_runner_that_is_not_heard_of_for_a_lease_is_given_up(running: Job, leases: Leases, clock: Time) -> None:
    assert look(leases, clock, LEASE) == 0
    assert look(leases, clock, 2 * BEAT) == 1
    running.refresh_from_db()
    assert (running.state, running.failures) == (State.QUEUED, 1)
    assert running.attempts.get().outcome == "runner.lost"


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_jumps_gives_nobody_up_and_keeps_nobody(
    running: Job, leases: Leases, clock: Time, hours: int
) -> None:
    """The database's clock is five hours before or behind: what it has written is then in the past or far ahead."""
    Job.objects.update(lease_until=Now() + timedelta(hours=hours))
    assert look(leases, clock, LEASE) == 0
    Job.objects.update(lease_until=Now() - timedelta(hours=hours))  # a heartbeat after the jump
    assert look(leases, clock, LEASE) == 0
    assert look(leases, clock, 2 * BEAT) == 1


def test_after_a_gap_every_runner_has_a_whole_lease_to_be_heard(running: Job, leases: Leases, clock: Time) -> None:
    look(leases, clock, LEASE - BEAT)
    clock.now += 45
    assert leases.expire() == 0
    assert look(leases, clock, LEASE - BEAT) == 0
    clock.now += 45
    assert leases.expire() == 0
    transitions.beat(running.id, running.attempt)
    assert look(leases, clock, LEASE) == 0
    assert look(leases, clock, 2 * BEAT) == 1


def test_who_begins_to_look_judges_nobody_before_a_lease_is_over(running: Job, leases: Leases, clock: Time) -> None:
    Job.objects.update(lease_until=Now() - timedelta(days=1))
    assert leases.expire() == 0
    assert look(leases, clock, LEASE) == 0


def test_a_runner_that_is_stopped_on_this_machine_keeps_its_job(
    running: Job, leases: Leases, clock: Time, settings: Any, sleeper: subprocess.Popen[bytes]
) -> None:
    settings.JOBS_HOST = "here"
    Slot.objects.update(pid=sleeper.pid)
    sleeper.send_signal(signal.SIGSTOP)
    wait_for(lambda: is_stopped(sleeper.pid), 5, "it is stopped")
    assert look(leases, clock, 4 * LEASE) == 0
    sleeper.send_signal(signal.SIGCONT)
    wait_for(lambda: not is_stopped(sleeper.pid), 5, "it goes on")
    assert look(leases, clock, BEAT) == 1  # it goes on, and still says nothing


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


# ---- who comes back --------------------------------------------------------------------------------------------------


def test_a_runner_that_comes_back_was_no_death(running: Job) -> None:
    for _ in range(5):
        assert transitions.give_up(running.id, running.attempt, running.lease_until, "silent") == State.QUEUED
        assert transitions.returned(running.id, running.attempt)
        assert not transitions.returned(running.id, running.attempt)
        running = transitions.claim(Slot.objects.get())  # type: ignore[assignment]
        running.refresh_from_db()
    assert running.failures == 0
    assert set(running.attempts.exclude(number=6).values_list("outcome", flat=True)) == {"runner.late"}


def test_only_a_loss_is_taken_back_and_only_once(running: Job) -> None:
    other = make_slot("gpu1")
    transitions.died(running.id, 1, "body.killed", "killed")
    assert not transitions.returned(running.id, 1)
    second = transitions.claim(other)
    assert second is not None
    second.refresh_from_db()
    transitions.give_up(second.id, 2, second.lease_until, "silent")
    third = transitions.claim(other)
    assert third is not None
    transitions.record(third.id, 3, [Checkpoint(1, "a")])  # forgives what was before it
    transitions.died(third.id, 3, "body.killed", "killed")
    assert transitions.returned(second.id, 2)
    assert Job.objects.get().failures == 1


# ---- what a body may take --------------------------------------------------------------------------------------------


def test_a_sleep_counts_for_next_to_nothing(clock: Time) -> None:
    awake = AwakeClock(5, clock)
    clock.now += 3
    assert awake() == 3
    clock.now += 3600
    assert awake() == 8


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_when_all_processes_are_stopped_for_long_the_job_goes_on(stack: Stack) -> None:
    """As when the machine sleeps: three leases long, and without a checkpoint that would forgive a death."""
    job = stack.count(steps=12, seconds=0.5)
    worker = stack.start("worker", "--slots", "cpu,cpu1,cpu2")
    stack.wait(job, State.RUNNING)
    wait_for(lambda: Slot.objects.count() == 3 and len(stack.counted(job)) > 1, 20, "it works, and others watch")
    with stopped(worker.pid):
        time.sleep(9)
    done = stack.wait(job, State.DONE, 40)
    assert (done.attempt, done.failures) == (1, 0)
    assert stack.counted(job) == list(range(12))


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_a_machine_that_slept_alone_leaves_its_job_to_another_and_that_is_no_death(stack: Stack) -> None:
    job = stack.count(steps=400, seconds=0.05)
    asleep = stack.start("worker", "--slots", "cpu", JOBS_HOST="asleep")
    stack.wait(job, State.RUNNING)
    wait_for(lambda: len(stack.counted(job)) > 1, 20, "it works")
    with stopped(asleep.pid):
        stack.start("worker", "--slots", "cpu", JOBS_HOST="awake")
        wait_for(lambda: Job.objects.get().attempt == 2, 30, "the other has the job")
    wait_for(lambda: Attempt.objects.get(number=1).outcome == "runner.late", 20, "the first one has noticed")
    now = Job.objects.get()
    assert (now.state, now.attempt, now.failures) == (State.RUNNING, 2, 0)


class stopped:  # noqa: N801 - used like a function
    """Stops the process and all that descend from it, and lets them go on."""

    def __init__(self, root: int) -> None:
        self.root = root

    def __enter__(self) -> None:
        self.pids = tree(self.root)
        self.send(signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        self.send(signal.SIGCONT)

    def send(self, number: signal.Signals) -> None:
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

"""Slots and queues by real processes, the same on every database and queue: order, loss, doubles, kills, outages."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

import pytest
from amqp.exceptions import NotFound
from django.db import connection
from django_tasks_db.models import DBTaskResult

from faceengine.jobs import queue, transitions
from faceengine.jobs.models import Attempt, Job, JobEvent, Slot
from faceengine.jobs.states import State
from tests.jobs.backends import Stack, kill_tree, state_of, tree
from tests.jobs.servers import wait_for


def lose_bells(stack: Stack) -> None:
    """Empty the queue, as a broker does that lost its disk."""
    if stack.broker is None:
        assert DBTaskResult.objects.all().delete()[0]
        return
    from faceengine.jobs.celery_backend import app

    # No queue: the line to the broker was dead when the bells should have rung, and they are lost already.
    with app.connection_for_write() as broker, suppress(NotFound):
        assert broker.default_channel.queue_purge("cpu")


def claimed(*jobs: Job) -> list[str]:
    """The jobs' titles in the order in which they were begun."""
    return list(Attempt.objects.filter(job__in=jobs).order_by("started_at", "pk").values_list("job__title", flat=True))


def test_queued_jobs_run_by_priority_and_place(stack: Stack) -> None:
    first, second, urgent, last = (
        stack.count(steps=1, title=title, priority=priority)
        for title, priority in (("first", 0), ("second", 0), ("urgent", 5), ("last", -1))
    )
    assert transitions.move(second, to_front=False, before=first)
    stack.start("slot", "cpu")
    stack.wait(last, State.DONE)
    assert claimed(first, second, urgent, last) == ["urgent", "second", "first", "last"]


def test_bells_that_are_lost_cost_seconds(stack: Stack) -> None:
    jobs = [stack.count(steps=1) for _ in range(3)]
    lose_bells(stack)
    stack.start("slot", "cpu")
    for job in jobs:
        stack.wait(job, State.DONE)


def test_bells_too_many_do_nothing_twice(stack: Stack) -> None:
    jobs = [stack.count(steps=2) for _ in range(2)]
    for job in jobs * 4:
        queue.ring(job)
    stack.start("worker", "--slots", "cpu,cpu1")
    for job in jobs:
        assert stack.wait(job, State.DONE).attempt == 1
        assert stack.counted(job) == [0, 1]


def test_a_busy_slot_holds_up_nobody(stack: Stack) -> None:
    """Also not by the bell that it may have fetched in advance."""
    stack.start("slot", "cpu")
    long = stack.count(steps=1000)
    stack.wait(long, State.RUNNING)
    short = stack.count(steps=1)
    stack.start("slot", "cpu1")
    stack.wait(short, State.DONE)
    assert state_of(long) == State.RUNNING


def test_a_killed_machine_is_replaced_by_another(stack: Stack) -> None:
    """The other one is there already, and busy until then: how long it takes to start doesn't matter."""
    busy = stack.count(steps=1000)
    stack.start("worker", "--slots", "cpu", JOBS_HOST="other")
    stack.wait(busy, State.RUNNING)
    job = stack.count(steps=100)
    lost = stack.start("worker", "--slots", "cpu", JOBS_HOST="lost")
    stack.wait(job, State.RUNNING)
    wait_for(lambda: len(stack.counted(job)) > 3, 30, "some steps are done")
    kill_tree(lost.pid)
    assert transitions.cancel(busy)
    assert stack.wait(job, State.DONE).attempt == 2
    assert stack.counted(job) == list(range(100))
    assert Attempt.objects.get(job=job, number=1).outcome == "runner.lost"


def test_a_restarted_slot_gives_back_at_once_what_it_had(stack: Stack) -> None:
    job = stack.count(steps=1000)
    slot = stack.start("slot", "cpu", JOBS_LEASE_SECONDS="300")
    stack.wait(job, State.RUNNING)
    kill_tree(slot.pid)
    stack.start("slot", "cpu", JOBS_LEASE_SECONDS="300")
    wait_for(lambda: Job.objects.get(pk=job.pk).attempt == 2, 60, "the job runs again, long before its lease is over")


def test_a_slot_that_dies_is_started_again(stack: Stack) -> None:
    job = stack.count(steps=1000)
    stack.start("worker", "--slots", "cpu")
    stack.wait(job, State.RUNNING)
    kill_tree(Slot.objects.get().pid)
    wait_for(lambda: Job.objects.get(pk=job.pk).attempt == 2, 60, "the job runs again")
    assert "killed by SIGKILL; starting it again" in stack.output()


def test_work_is_put_back_when_its_worker_is_stopped(stack: Stack) -> None:
    job = stack.count(steps=60)
    worker = stack.start("worker", "--slots", "cpu")
    stack.wait(job, State.RUNNING)
    wait_for(lambda: len(stack.counted(job)) > 3, 30, "some steps are done")
    processes = tree(worker.pid)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert state_of(job) == State.QUEUED
    assert not Slot.objects.exists()
    assert all(len(tree(pid)) == 1 for pid in processes)
    done = len(stack.counted(job))
    stack.start("worker", "--slots", "cpu")
    finished = stack.wait(job, State.DONE)
    assert (finished.attempt, finished.failures) == (2, 0)
    assert stack.counted(job) == list(range(60))
    assert done < 60


def test_one_slot_of_a_name(stack: Stack) -> None:
    stack.start("slot", "cpu")
    wait_for(Slot.objects.exists, 60, "the slot is there")
    assert stack.start("slot", "cpu").wait(60) == 1
    assert "another process serves cpu on here" in stack.output()


def test_nothing_of_the_queue_stays_behind(stack: Stack) -> None:
    stack.start("slot", "cpu")
    for _ in range(3):
        stack.wait(stack.count(steps=1), State.DONE)
    wait_for(lambda: not DBTaskResult.objects.exists(), 20, "bells that were heard are gone")


def test_a_broker_that_is_down_loses_nothing(stack: Stack) -> None:
    if stack.broker is None:
        pytest.skip("this stack has no broker")
    stack.broker.kill()
    early = stack.count(steps=1)
    stack.start("worker", "--slots", "cpu")
    wait_for(Slot.objects.exists, 60, "the slot is there without the broker")
    stack.broker.start()
    stack.wait(early, State.DONE)

    running = stack.count(steps=40)
    stack.wait(running, State.RUNNING)
    stack.broker.kill()
    late = stack.count(steps=1)
    assert stack.wait(running, State.DONE).attempt == 1
    stack.broker.start()
    stack.wait(late, State.DONE)


def test_a_database_that_goes_away_for_a_while_loses_nothing(stack: Stack) -> None:
    if stack.database is None:
        pytest.skip("the database is a file")
    job = stack.count(steps=80)
    stack.start("worker", "--slots", "cpu")
    stack.wait(job, State.RUNNING)
    wait_for(lambda: len(stack.counted(job)) > 3, 30, "some steps are done")
    stack.database.kill()
    connection.close()
    before = len(stack.counted(job))
    wait_for(lambda: len(stack.counted(job)) > before + 5, 30, "the body goes on")
    stack.database.start()
    stack.wait(job, State.DONE)
    assert stack.counted(job) == list(range(80))
    idle = stack.count(steps=1)
    stack.wait(idle, State.DONE)


def test_a_database_that_is_down_at_the_start_is_named_and_loses_nothing(stack: Stack) -> None:
    if stack.database is None:
        pytest.skip("the database is a file")
    job = stack.count(steps=1)
    stack.database.kill()
    connection.close()
    assert stack.start("worker", "--slots", "cpu").wait(60) == 1
    assert "the database does not answer" in stack.output()
    stack.database.start()
    stack.start("worker", "--slots", "cpu")
    assert stack.wait(job, State.DONE).attempt == 1


def test_every_event_has_its_number(stack: Stack) -> None:
    stack.start("slot", "cpu")
    job = stack.wait(stack.count(steps=5), State.DONE)
    numbers = list(JobEvent.objects.filter(job=job).values_list("seq", flat=True))
    assert numbers == list(range(1, job.last_seq + 1))


def test_slots_have_no_torch(stack: Stack) -> None:
    slot = stack.start("slot", "cpu")
    stack.wait(stack.count(steps=1), State.DONE)
    assert loaded(slot.pid, "sqlite") or loaded(slot.pid, "psycopg")
    assert not loaded(slot.pid, "libtorch")


def loaded(pid: int, name: str) -> bool:
    """Whether the process has a library of that name in its memory."""
    return name in Path(f"/proc/{pid}/maps").read_text()

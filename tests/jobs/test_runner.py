"""One job by one runner, with real bodies: every way in which work can end."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError, connection

from faceengine.jobs import kinds, runner, transitions
from faceengine.jobs.models import Attempt, Job, Slot
from faceengine.jobs.states import State
from tests.jobs import stages
from tests.jobs.conftest import make_slot, run_next, submit, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("act", "quick")]


@pytest.fixture
def quick(settings: Any) -> None:
    settings.JOBS_HEARTBEAT_SECONDS = 0.5
    settings.JOBS_GRACE_SECONDS = 1


def codes(job: Job) -> list[str]:
    return [data["code"] for data in job.events.filter(kind="message").values_list("data", flat=True)]


def counted(job: Job) -> list[int]:
    """Every step that any of the job's bodies has done."""
    with suppress(FileNotFoundError):
        return [int(line) for line in Path(default_storage.path(f"{job.folder}/counted.txt")).read_text().split()]
    return []


def log_of(job: Job, attempt: int = 1) -> str:
    return Path(default_storage.path(Attempt.objects.get(job=job, number=attempt).log)).read_text(errors="replace")


def meanwhile(do: Callable[[], Any], when: Callable[[], Any]) -> threading.Thread:
    """Do something from another thread as soon as ``when()`` is true."""

    def run() -> None:
        try:
            wait_for(when)
            do()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has waited for yet does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


# ---- ends ------------------------------------------------------------------------------------------------------------


def test_work_is_done_and_told(slot: Slot) -> None:
    submit(steps=3)
    job = run_next(slot)
    assert (job.state, job.result) == (State.DONE, {"path": "counted.txt", "steps": 3, "stopped": False})
    assert job.checkpoint == {"iteration": 3, "path": "state.json", "attempt": 1}
    assert job.progress is not None
    assert job.progress["done"] == 3
    assert [event.seq for event in job.events.all()] == list(range(1, job.last_seq + 1))
    attempt = job.attempts.get()
    assert (attempt.outcome, attempt.exit_code, attempt.slot) == ("done", 0, "here/gpu0")
    assert attempt.ended_at is not None


def test_nothing_to_do_is_no_error(slot: Slot) -> None:
    assert runner.run_next(slot, stopping=lambda: False) is None


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"act": "input", "code": "asset.odd"}, "asset.odd"),
        ({"act": "disk"}, "disk.full"),
        ({"act": "garbage for an end"}, "body.no_result"),
        ({"act": "exit", "code": "0"}, "body.no_result"),
        ({"video": "nobody/has.mp4"}, "asset.missing"),
        ({"video": "../../etc/passwd"}, "asset.name"),
    ],
)
def test_what_would_fail_again_fails_at_once(slot: Slot, config: dict[str, Any], code: str) -> None:
    submit(**config)
    job = run_next(slot)
    assert (job.state, job.error_code) == (State.FAILED, code)
    assert job.error_text
    assert job.attempts.get().outcome == code


def test_a_config_that_this_version_refuses_fails_with_its_reason(slot: Slot) -> None:
    job = submit()
    Job.objects.filter(id=job.id).update(config={"steps": -1})
    job = run_next(slot)
    assert (job.state, job.error_code) == (State.FAILED, "config.range")
    assert "steps" in job.error_text


def test_memory_is_limited(slot: Slot, settings: Any) -> None:
    settings.JOBS_MEMORY_LIMIT_MB = 1024
    submit(act="memory")
    job = run_next(slot)
    assert (job.state, job.error_code) == (State.FAILED, "memory.full")


@pytest.mark.parametrize(
    ("config", "code", "exit_code"),
    [
        ({"act": "crash"}, "body.killed", -signal.SIGKILL),
        ({"act": "defect"}, "body.defect", 1),
        ({"act": "exit", "code": "9"}, "body.died", 9),
        ({"act": "exit", "code": "75"}, "body.stopped", 75),
    ],
)
def test_sudden_ends_are_tried_again_but_not_for_ever(
    slot: Slot, config: dict[str, Any], code: str, exit_code: int
) -> None:
    submit(**config)
    states = [run_next(slot).state for _ in range(3)]
    job = Job.objects.get()
    assert states == [State.QUEUED, State.QUEUED, State.FAILED]
    assert job.error_code == code
    assert "3 times" in job.error_text
    assert list(job.attempts.values_list("outcome", "exit_code")) == 3 * [(code, exit_code)]


def test_a_defect_leaves_its_traceback_in_the_log(slot: Slot) -> None:
    job = submit(act="defect")
    run_next(slot)
    assert "RuntimeError: a defect" in log_of(job)


def test_each_death_after_a_new_checkpoint_counts_as_the_first(slot: Slot) -> None:
    job = submit(steps=8)
    for attempt in range(1, 6):
        Job.objects.update(config=job.config | {"act": "crash", "at": attempt})
        assert run_next(slot).state == State.QUEUED
    Job.objects.update(config=job.config)
    assert run_next(slot).state == State.DONE
    assert counted(job) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_garbage_is_kept_in_the_log_and_said_once(slot: Slot) -> None:
    submit(act="garbage")
    job = run_next(slot)
    assert job.state == State.DONE
    assert codes(job) == ["body.garbage"]
    log = log_of(job)
    assert all(line in log for line in ("this is no event", "neither is this", "{not json}", "[1]"))


def test_what_json_columns_refuse_is_no_hindrance(slot: Slot) -> None:
    submit(act="odd values")
    job = run_next(slot)
    assert job.state == State.DONE
    assert job.events.get(kind="losses").data["values"] == {"a": None, "b": None}
    assert job.events.get(kind="message").data["text"] == "nul  and half ? a character"


def test_a_crash_after_the_result_is_a_warning(slot: Slot) -> None:
    submit(act="late crash")
    job = run_next(slot)
    assert (job.state, codes(job)) == (State.DONE, ["body.late_crash"])
    assert job.attempts.get().exit_code == -signal.SIGSEGV


def test_a_body_that_hangs_is_killed(slot: Slot) -> None:
    with stages.registered(silent_after=1.0):
        submit(act="hang")
        job = run_next(slot)
    assert job.state == State.QUEUED
    assert job.attempts.get().outcome == "body.hung"


# ---- people ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "state"), [("pause", State.PAUSED), ("cancel", State.CANCELLED)])
def test_a_running_job_stops_where_it_can_go_on(slot: Slot, change: str, state: State) -> None:
    job = submit(steps=500, every=0)
    thread = meanwhile(lambda: getattr(transitions, change)(job), when=lambda: len(counted(job)) > 3)
    stopped = run_next(slot)
    thread.join()
    assert (stopped.state, stopped.attempts.get().outcome) == (state, "stopped")
    done = counted(job)
    assert 3 < len(done) < 500

    Job.objects.update(config=job.config | {"steps": len(done) + 2})
    assert (transitions.resume if change == "pause" else transitions.retry)(stopped)
    assert run_next(slot).state == State.DONE
    assert counted(job) == list(range(1, len(done) + 3))  # no step lost, none done twice


@pytest.mark.parametrize(("change", "state"), [("pause", State.PAUSED), ("cancel", State.CANCELLED)])
def test_a_body_that_does_not_stop_is_killed_after_the_grace(slot: Slot, change: str, state: State) -> None:
    job = submit(act="hang", at=2)
    thread = meanwhile(lambda: getattr(transitions, change)(job), when=lambda: len(counted(job)) == 2)
    began = time.monotonic()
    assert run_next(slot).state == state
    assert 1 < time.monotonic() - began < 6
    thread.join()


def test_a_slot_that_stops_sends_its_job_back(slot: Slot) -> None:
    job = submit(steps=500)
    stopped = run_next(slot, stopping=lambda: len(counted(job)) > 3)
    assert (stopped.state, stopped.failures, stopped.slot) == (State.QUEUED, 0, None)
    assert run_next(slot, stopping=lambda: True).state == State.QUEUED  # even before its body has begun


def test_a_wish_that_comes_too_late_is_no_longer_granted(slot: Slot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The body is done, the runner about to say so: what is done stays done."""
    finish = transitions.finish

    def cancelled_meanwhile(job_id: Any, *arguments: Any) -> bool:
        assert transitions.cancel(Job.objects.get(id=job_id))
        return finish(job_id, *arguments)

    monkeypatch.setattr(transitions, "finish", cancelled_meanwhile)
    submit()
    job = run_next(slot)
    assert (job.state, job.desired) == (State.DONE, "run")
    assert not transitions.cancel(job)


# ---- deaths around it ------------------------------------------------------------------------------------------------


def test_a_runner_that_was_given_up_kills_its_body_and_changes_nothing(slot: Slot) -> None:
    job = submit(steps=500)
    other = make_slot("gpu1")

    def give_up() -> None:
        job.refresh_from_db()
        assert transitions.give_up(job.id, 1, job.lease_until, "silent") == State.QUEUED
        assert transitions.claim(other) is not None

    thread = meanwhile(give_up, when=lambda: len(counted(job)) > 3)
    now = run_next(slot)
    thread.join()
    assert (now.state, now.attempt, now.slot) == (State.RUNNING, 2, other)
    steps = counted(job)
    time.sleep(0.3)
    assert counted(job) == steps
    assert list(job.attempts.values_list("outcome", flat=True)) == ["runner.late", ""]
    assert now.failures == 0  # it lives, so it was no death


def test_work_goes_on_while_the_database_is_away(slot: Slot, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    job = submit(steps=40, seconds=0.05)
    away = threading.Event()
    for name in ("beat", "wanted", "record", "finish"):
        monkeypatch.setattr(transitions, name, _unless(away, getattr(transitions, name)))
    thread = meanwhile(away.set, when=lambda: len(counted(job)) > 3)
    back = threading.Timer(4, away.clear)
    back.start()
    done = run_next(slot)
    assert (done.state, done.attempt) == (State.DONE, 1)
    assert counted(job) == list(range(1, 41))
    assert done.events.filter(kind="checkpoint").count() == 40
    thread.join()
    back.join()


def _unless(away: threading.Event, change: Callable[..., Any]) -> Callable[..., Any]:
    """``change``, or what Django raises when there is no database to make it in."""

    def changed(*arguments: Any) -> Any:
        if away.is_set():
            raise OperationalError("the database is away")
        return change(*arguments)

    return changed


@pytest.mark.parametrize("victim", ["runner", "keeper", "worker"])
def test_nothing_outlives_a_runner_or_a_body(slot: Slot, victim: str) -> None:
    """A body's own children too: forked, started, grandchildren, in a session of their own."""
    job = submit(act="children")
    pid = os.fork()
    if not pid:  # a runner that can be killed
        connection.connection = None
        runner.run_next(slot, stopping=lambda: False)
        os._exit(0)
    file = Path(default_storage.path(f"{job.folder}/pids.json"))
    try:
        wait_for(file.exists)
        worker, keeper, *children = json.loads(file.read_text())
        assert all(map(alive, [worker, keeper, *children]))
        os.kill({"runner": pid, "keeper": keeper, "worker": worker}[victim], signal.SIGKILL)
        own_session = children.pop() if victim == "keeper" else None  # its keeper can't have ended that one
        wait_for(lambda: not any(map(alive, [worker, keeper, *children])), within=5)
        if own_session:
            os.kill(own_session, signal.SIGKILL)
        if victim != "runner":
            wait_for(lambda: Job.objects.get().state == State.QUEUED, within=5)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


# ---- parts -----------------------------------------------------------------------------------------------------------


def test_a_job_is_split_done_in_parts_and_joined(slot: Slot) -> None:
    submit("acts", parts=3, steps=2)
    parent = run_next(slot)
    assert (parent.state, parent.step) == (State.WAITING, "join")
    parts = [run_next(slot) for _ in range(3)]
    assert [part.index for part in parts] == [0, 1, 2]
    assert {part.state for part in parts} == {State.DONE}
    parent.refresh_from_db()
    assert parent.state == State.QUEUED
    assert parent.progress is not None
    assert (parent.progress["done"], parent.progress["total"]) == (3, 3)
    joined = run_next(slot)
    assert (joined.id, joined.state) == (parent.id, State.DONE)
    assert Path(default_storage.path(f"{parent.folder}/joined.txt")).read_text() == 3 * "1\n2\n"


def test_a_job_that_needs_no_parts_is_done_in_one_go(slot: Slot) -> None:
    submit("acts", parts=1)
    job = run_next(slot)
    assert (job.state, job.attempt, job.parts.count()) == (State.DONE, 1, 0)


def test_a_plan_that_fails_fails_the_job(slot: Slot) -> None:
    submit("acts", video="nobody/has.mp4")
    assert run_next(slot).error_code == "asset.missing"


# ---- ranks -----------------------------------------------------------------------------------------------------------


def test_a_body_of_two_ranks(slot: Slot, settings: Any) -> None:
    """Done, stopped, and no rank outlives torchrun's agent."""
    settings.JOBS_GRACE_SECONDS = 20
    kind = kinds.get("act")
    kinds.register(dataclasses.replace(kind, function="tests.jobs.stages.run_ranks", processes=2))
    job = submit(steps=0)
    done = run_next(slot)
    assert (done.state, done.events.filter(kind="message").count()) == (State.DONE, 0)
    ranks = [Path(default_storage.path(f"{job.folder}/rank{rank}.txt")) for rank in (0, 1)]
    assert [rank.read_text().split()[1] for rank in ranks] == ["2", "2"]

    job = submit(steps=1)
    ranks = [Path(default_storage.path(f"{job.folder}/rank{rank}.txt")) for rank in (0, 1)]
    stopped = run_next(slot, stopping=lambda: all(rank.exists() for rank in ranks))
    assert (stopped.state, stopped.attempts.get().outcome) == (State.QUEUED, "stopped")
    assert not any(alive(int(rank.read_text().split()[0])) for rank in ranks)

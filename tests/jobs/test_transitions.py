"""Every change to a job, in every state: it happens where the rules allow it, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from faceengine.errors import ConfigError
from faceengine.events import Checkpoint, Losses, Message, Progress
from faceengine.jobs import kinds, transitions
from faceengine.jobs.models import Job, JobEvent, Slot
from faceengine.jobs.states import ALLOWED, ENDED, Desired, State
from tests.jobs.conftest import make_slot, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("act")]

Change = Callable[[Job], Any]

BY_RUNNER: dict[str, Change] = {
    "beat": lambda job: transitions.beat(job.id, job.attempt),
    "wanted": lambda job: transitions.wanted(job.id, job.attempt),
    "record": lambda job: transitions.record(job.id, job.attempt, [Progress("count", 1)]),
    "publish": lambda job: transitions.publish(job.id, job.attempt, {"a": "b"}),
    "finish": lambda job: transitions.finish(job.id, job.attempt, {}, 0),
    "fail": lambda job: transitions.fail(job.id, job.attempt, "asset.odd", "odd"),
    "died": lambda job: transitions.died(job.id, job.attempt, "body.killed", "killed"),
    "stopped": lambda job: transitions.stopped(job.id, job.attempt, 75),
    "split": lambda job: transitions.split(job.id, job.attempt, [{"part": 0}, {"part": 1}]),
}
BY_PEOPLE: dict[str, Change] = {
    "pause": transitions.pause,
    "resume": transitions.resume,
    "cancel": transitions.cancel,
    "retry": transitions.retry,
    "extend": lambda job: transitions.extend(job, job.config),
}
STAYS = ("beat", "wanted", "record", "publish")

BECOMES: dict[tuple[str, str], State] = {
    ("running", "finish"): State.DONE,
    ("running", "fail"): State.FAILED,
    ("running", "died"): State.QUEUED,
    ("running", "stopped"): State.QUEUED,
    ("running", "split"): State.WAITING,
    ("queued", "pause"): State.PAUSED,
    ("waiting", "pause"): State.PAUSED,
    ("paused", "resume"): State.QUEUED,
    ("queued", "cancel"): State.CANCELLED,
    ("waiting", "cancel"): State.CANCELLED,
    ("paused", "cancel"): State.CANCELLED,
    ("failed", "retry"): State.QUEUED,
    ("cancelled", "retry"): State.QUEUED,
    ("done", "extend"): State.QUEUED,
    ("failed", "extend"): State.QUEUED,
    ("cancelled", "extend"): State.QUEUED,
} | {("running", name): State.RUNNING for name in (*STAYS, "pause", "cancel")}
"""State and change → what the job becomes. Every other pair changes nothing."""


@pytest.fixture
def running(slot: Slot) -> Job:
    submit("acts")
    job = transitions.claim(slot)
    assert job is not None
    return job


def row(job: Job) -> dict[str, Any]:
    return Job.objects.filter(id=job.id).values().get() | {"events": job.events.count()}


@pytest.mark.parametrize("change", [*BY_RUNNER, *BY_PEOPLE])
@pytest.mark.parametrize("state", State)
def test_every_change_in_every_state(running: Job, state: State, change: str) -> None:
    Job.objects.update(state=state)
    running.refresh_from_db()
    before = row(running)
    told = (BY_RUNNER | BY_PEOPLE)[change](running)
    after = row(running)
    expected = BECOMES.get((state, change))
    if expected is None:
        assert not told
        assert after == before
        return
    assert told
    assert after["state"] == expected
    assert expected == state or expected in ALLOWED[state]
    assert after["last_seq"] == after["events"]
    if expected != State.RUNNING:
        assert (after["slot_id"], after["lease_until"], after["desired"]) == (None, None, Desired.RUN)
    assert (after["finished_at"] is not None) == (expected in ENDED)


@pytest.mark.parametrize("change", BY_RUNNER)
def test_an_attempt_that_was_given_up_changes_nothing(running: Job, change: str) -> None:
    Job.objects.update(attempt=2)
    before = row(running)
    assert not BY_RUNNER[change](running)
    assert row(running) == before


@pytest.mark.parametrize("desired", [Desired.PAUSE, Desired.CANCEL])
@pytest.mark.parametrize("change", ["died", "stopped", "split"])
def test_what_people_want_of_a_running_job_happens_when_it_stops(running: Job, desired: Desired, change: str) -> None:
    assert (transitions.pause if desired == Desired.PAUSE else transitions.cancel)(running)
    assert transitions.beat(running.id, running.attempt) == desired
    assert BY_RUNNER[change](running)
    running.refresh_from_db()
    assert running.state == (State.PAUSED if desired == Desired.PAUSE else State.CANCELLED)


def test_a_wish_can_be_taken_back_but_not_a_cancelling(running: Job) -> None:
    assert transitions.pause(running)
    assert not transitions.pause(running)
    assert transitions.resume(running)
    assert transitions.beat(running.id, 1) == Desired.RUN
    assert transitions.cancel(running)
    assert not transitions.resume(running)
    assert not transitions.pause(running)
    assert not transitions.cancel(running)


def test_a_config_is_checked_before_the_job_is_queued() -> None:
    with pytest.raises(ConfigError, match="steps"):
        submit(steps=-1)
    with pytest.raises(kinds.UnknownKindError):
        submit("nothing")
    assert not Job.objects.exists()


def test_an_ended_job_goes_on_in_its_folder_with_another_config(running: Job, slot: Slot) -> None:
    transitions.record(running.id, 1, [Checkpoint(1, "c")])
    transitions.finish(running.id, 1, {"steps": 3}, 0)
    with pytest.raises(ConfigError, match="steps"):
        transitions.extend(running, {**running.config, "steps": -1})
    assert transitions.extend(running, {**running.config, "steps": 9})
    again = transitions.claim(slot)
    assert again is not None
    assert (again.id, again.folder, again.attempt) == (running.id, running.folder, 2)
    assert (again.config["steps"], again.checkpoint["iteration"], again.result) == (9, 1, None)


def test_events_are_counted_without_gaps(running: Job) -> None:
    events = [Progress("count", 1), Losses(1, {"a": 0.5}, 2.0), Message("info", "x", "y"), Checkpoint(1, "c")]
    assert transitions.record(running.id, 1, events)
    assert transitions.record(running.id, 1, [])
    rows = list(running.events.values_list("seq", "kind"))
    assert rows[2:] == [(3, "progress"), (4, "losses"), (5, "message"), (6, "checkpoint")]
    running.refresh_from_db()
    assert (running.last_seq, running.checkpoint) == (6, {"iteration": 1, "path": "c", "attempt": 1})


def test_only_a_new_checkpoint_forgives_deaths(running: Job, slot: Slot) -> None:
    transitions.record(running.id, 1, [Checkpoint(10, "c")])
    for attempt in (1, 2):
        assert transitions.died(running.id, attempt, "body.killed", "") == State.QUEUED
        assert transitions.claim(slot) is not None
        transitions.record(running.id, attempt + 1, [Checkpoint(10, "c")])
    assert transitions.died(running.id, 3, "body.killed", "") == State.FAILED


def test_the_apps_hooks_hear_of_events_and_ends_and_cant_break_the_ledger(slot: Slot) -> None:
    heard: list[Any] = []

    def hook(job: Job, event: Any = None) -> None:
        heard.append((job.state, event))
        raise RuntimeError("a defect of the app")

    kind = kinds.get("act")
    kinds.register(kinds.Kind("act", kind.function, kind.config_class, hook, hook, on_event=hook, on_end=hook))
    job = submit()
    transitions.claim(slot)
    assert transitions.record(job.id, 1, [Progress("count", 1)])
    assert transitions.finish(job.id, 1, {}, 0)
    assert heard == [(State.RUNNING, Progress("count", 1)), (State.DONE, None)]


# ---- leases ----------------------------------------------------------------------------------------------------------


def test_a_runner_that_is_given_up_loses_the_job(running: Job) -> None:
    running.refresh_from_db()
    assert transitions.give_up(running.id, 1, running.lease_until, "silent") == State.QUEUED
    running.refresh_from_db()
    assert (running.state, running.failures) == (State.QUEUED, 1)
    assert running.attempts.get().outcome == "runner.lost"
    assert transitions.beat(running.id, 1) is None


def test_a_heartbeat_in_time_keeps_the_job(running: Job) -> None:
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))
    running.refresh_from_db()
    assert transitions.beat(running.id, 1) == Desired.RUN
    assert transitions.give_up(running.id, 1, running.lease_until, "silent") is None


def test_this_machines_clock_does_not_matter_to_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """It jumps an hour ahead and back: the queue keeps its order."""
    first = submit()
    for jump in (3600, -3600):
        monkeypatch.setattr("time.time_ns", lambda jump=jump: int((timezone.now().timestamp() + jump) * 1e9))
        monkeypatch.setattr("time.time", lambda jump=jump: timezone.now().timestamp() + jump)
        submit()
    queue = list(transitions.queue_of("gpu"))
    assert queue[0] == first
    assert queue == sorted(queue, key=lambda job: job.created_at)


# ---- parts -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def parts(running: Job, slot: Slot) -> list[Job]:
    """The parts of ``running``; the first is running."""
    assert transitions.split(running.id, 1, [{"part": number} for number in range(3)])
    assert transitions.claim(slot) is not None
    running.refresh_from_db()
    return list(running.parts.order_by("index"))


def states(job: Job) -> list[str]:
    return [Job.objects.get(id=job.id).state, *job.parts.order_by("index").values_list("state", flat=True)]


def test_the_last_part_queues_the_join_once(running: Job, parts: list[Job], slot: Slot) -> None:
    for left in (2, 1, 0):
        part = Job.objects.get(state=State.RUNNING)
        assert transitions.finish(part.id, part.attempt, {}, 0)
        assert Job.objects.get(id=running.id).state == (State.WAITING if left else State.QUEUED)
        if left:
            transitions.claim(slot)
    queued = JobEvent.objects.filter(job=running, kind="state", data__state="queued").count()
    assert queued == 2  # when it was submitted, and now


def test_a_part_that_fails_fails_the_whole_with_its_reason(running: Job, parts: list[Job]) -> None:
    assert transitions.fail(parts[0].id, 1, "asset.odd", "it is odd")
    running.refresh_from_db()
    assert (running.state, running.error_code, running.error_text) == (State.FAILED, "asset.odd", "part 1: it is odd")
    assert states(running) == ["failed", "failed", "cancelled", "cancelled"]
    assert transitions.retry(running)
    assert states(running) == ["waiting", "queued", "queued", "queued"]


def test_parts_are_paused_resumed_and_cancelled_with_the_whole(running: Job, parts: list[Job], slot: Slot) -> None:
    assert transitions.pause(running)
    assert states(running) == ["paused", "running", "paused", "paused"]
    assert transitions.stopped(parts[0].id, 1, 75) == State.PAUSED
    assert transitions.resume(running)
    assert states(running) == ["waiting", "queued", "queued", "queued"]
    transitions.claim(slot)
    assert transitions.cancel(running)
    assert states(running) == ["cancelled", "running", "cancelled", "cancelled"]
    assert transitions.retry(running)
    assert states(running) == ["waiting", "running", "queued", "queued"]
    assert transitions.beat(parts[0].id, 2) == Desired.RUN


def test_parts_that_end_while_the_whole_rests(running: Job, parts: list[Job], slot: Slot) -> None:
    assert transitions.pause(running)
    assert transitions.finish(parts[0].id, 1, {}, 0)
    Job.objects.filter(parent=running).update(state=State.DONE)
    assert transitions.resume(running)
    assert states(running)[0] == State.QUEUED


def test_a_part_is_not_steered_alone(parts: list[Job]) -> None:
    for change in BY_PEOPLE.values():
        assert not change(parts[1])


# ---- the queue's order -----------------------------------------------------------------------------------------------


def titles() -> str:
    return "".join(transitions.queue_of("gpu").values_list("title", flat=True))


def test_order_and_priority_can_be_changed_while_queued() -> None:
    jobs = {title: submit(title=title) for title in "abcd"}
    assert titles() == "abcd"
    assert transitions.move(jobs["d"], before=jobs["b"])
    assert titles() == "adbc"
    assert transitions.move(jobs["c"], before=jobs["d"])  # no room between neighbours: it is made
    assert titles() == "acdb"
    assert transitions.move(jobs["b"], priority=5)
    assert titles() == "bacd"
    assert transitions.move(jobs["d"], to_front=True)
    assert titles() == "dbac"
    assert not transitions.move(jobs["a"], priority=101)
    Job.objects.filter(title="a").update(state=State.DONE)
    assert not transitions.move(jobs["a"], priority=1)


def test_parts_move_with_the_whole(running: Job, parts: list[Job]) -> None:
    other = submit(title="other", priority=3)
    assert transitions.move(running, priority=4)
    queue = list(transitions.queue_of("gpu"))
    assert queue == [*parts[1:], other]


def test_slots_of_one_kind_only_get_jobs_of_that_kind() -> None:
    submit(slot_kind="cpu")
    assert transitions.claim(make_slot("gpu3")) is None
    assert transitions.claim(make_slot("cpu")) is not None

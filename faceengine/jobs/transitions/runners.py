"""Changes that runners make while they have a job, how their attempt at it ended, and the end of what may not go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from faceengine.events import Checkpoint, Event, Progress
from faceengine.jobs import groups, kinds
from faceengine.jobs.models import Attempt, Job, JobEvent
from faceengine.jobs.permits import Refused
from faceengine.jobs.states import ENDED, Desired, State
from faceengine.jobs.transitions.changes import change_to, hold, kind_of, lease_end, of_attempt, permit_of
from faceengine.jobs.transitions.people import cancel_held, submit
from faceengine.jobs.transitions.reasons import Reason
from faceengine.jobs.transitions.telling import announce_after_commit, append, call_hook, storable


def beat(job_id: UUID, attempt: int) -> Desired | None:
    """Extend the lease, and say what people want of the job; ``None`` if it is no longer this attempt's.

    A job that may not go on ends here, too.
    """
    extended = of_attempt(job_id, attempt).update(lease_until=lease_end())
    return wanted(job_id, attempt) if extended and _may_go_on(job_id, attempt) else None


def wanted(job_id: UUID, attempt: int) -> Desired | None:
    """What people want of the job; ``None`` if it is no longer this attempt's."""
    desired = of_attempt(job_id, attempt).values_list("desired", flat=True).first()
    return None if desired is None else Desired(desired)


def record(job_id: UUID, attempt: int, events: Sequence[Event]) -> bool:
    """Store what the body told, in order, and let the app that owns the kind save what it wants of it.

    At a checkpoint a job that may not go on ends, and what was told with it is not kept.
    """
    if any(isinstance(event, Checkpoint) for event in events) and not _may_go_on(job_id, attempt):
        return False
    return _record(job_id, attempt, events)


@transaction.atomic
def _record(job_id: UUID, attempt: int, events: Sequence[Event]) -> bool:
    if not of_attempt(job_id, attempt).update(last_seq=F("last_seq") + len(events), heard_at=Now()):
        return False
    job = Job.objects.get(id=job_id)
    _take_over(job, events)
    first = job.last_seq - len(events) + 1
    JobEvent.objects.bulk_create(
        JobEvent(job=job, seq=seq, attempt=attempt, kind=type(event).__name__.lower(), data=storable(asdict(event)))
        for seq, event in enumerate(events, first)
    )
    if (kind := kind_of(job)) is not None:
        for event in events:
            call_hook(kind.on_event, job, event)
    announce_after_commit(job)
    return True


def publish(job_id: UUID, attempt: int, files: dict[str, str]) -> bool:
    """Make ``files`` (name in the job's folder → key in the storage) what the job has."""
    return bool(of_attempt(job_id, attempt).update(files=files))


def measured(job_id: UUID, attempt: int, stored: int, *, at_end: bool = False) -> bool:
    """Note how many bytes the job's folder takes up. One that leaves its group no room ends, unless it has just ended.

    Returns whether the job goes on as this attempt's.
    """
    if not of_attempt(job_id, attempt).update(stored=stored):
        return False
    if at_end:
        return True
    try:
        groups.known().check_disk(Job.objects.get(id=job_id))
    except Refused as refusal:
        refuse(job_id, refusal)
        return False
    return True


def finish(job_id: UUID, attempt: int, result: dict[str, Any], exit_code: int | None) -> bool:
    """The work is done, also if somebody wanted it stopped a moment ago."""
    with hold(job_id):
        job = _leave(job_id, attempt, State.DONE, "done", exit_code, fields={"result": storable(result)})
    return job is not None


def fail(job_id: UUID, attempt: int, code: str, text: str, exit_code: int | None = None) -> bool:
    """The work can't be done: trying again would end the same way."""
    with hold(job_id):
        job = _leave(job_id, attempt, State.FAILED, code, exit_code, Reason(code, text))
    return job is not None


def died(job_id: UUID, attempt: int, code: str, text: str, exit_code: int | None = None) -> State | None:
    """The body or its runner came to a sudden end. The job is queued again, but not for ever.

    Returns where it is now: queued; paused or cancelled if that was wanted; or failed, after
    ``settings.JOBS_MAX_FAILURES`` deaths without a new checkpoint between them.
    """
    return _died(job_id, attempt, Reason(code, text), exit_code)


def stopped(job_id: UUID, attempt: int, exit_code: int | None) -> State | None:
    """The body stopped as it was asked to, ready to go on. Returns where the job is now: as people wish, or queued."""
    with hold(job_id) as held:
        to = _as_desired(held, State.QUEUED)
        job = _leave(job_id, attempt, to, "stopped", exit_code)
    return to if job is not None else None


def split(job_id: UUID, attempt: int, parts: list[dict[str, Any]]) -> bool:
    """Queue a part for each of ``parts`` (what of the config differs in it); the job waits for them, then joins.

    Raises :class:`ConfigError` if a part's config is refused.
    """
    with hold(job_id) as held:
        to = _as_desired(held, State.WAITING)
        fields = {"step": "join"} if to != State.CANCELLED else {}
        job = _leave(job_id, attempt, to, "split", 0, fields=fields)
        if job is None or to == State.CANCELLED:
            return job is not None
        kind = kinds.get(job.kind)
        assert kind.split is not None
        for index, differs in enumerate(parts):
            part = submit(
                kind.split.part,
                job.config | differs,
                owner=job.owner,
                title=job.title,
                priority=job.priority,
                slot_kind=job.slot_kind,
                parent=job,
                index=index,
                mandate=job.mandate,
            )
            if to == State.PAUSED:
                change_to(part.id, State.PAUSED, {"state": State.QUEUED})
    return True


def refuse(job_id: UUID, refusal: Refused) -> bool:
    """End a job that may not be, wherever it is: failed, with the reason. A body at work is killed by its runner."""
    reason = Reason(refusal.code, refusal.text)
    with hold(job_id) as held:
        if held is None or held.state in ENDED:
            return False
        if held.state == State.RUNNING:
            return _leave(job_id, held.attempt, State.FAILED, refusal.code, None, reason) is not None
        job = change_to(job_id, State.FAILED, {"state": held.state}, reason)
        if job is not None and job.parent_id is not None:
            _part_ended(job, job.parent_id)
        for part in Job.objects.select_for_update().filter(parent=held).order_by("index"):
            cancel_held(part)
        return job is not None


def _may_go_on(job_id: UUID, attempt: int) -> bool:
    """Whether the job is still this attempt's and still allowed; one that is not allowed any more has ended then."""
    job = of_attempt(job_id, attempt).first()
    if job is None:
        return False
    try:
        permit_of(job)
    except Refused as refusal:
        refuse(job_id, refusal)
        return False
    return True


def give_up(job_id: UUID, attempt: int, lease_until: datetime | None, text: str) -> State | None:
    """Take the job away from a runner whose lease is still ``lease_until``: it was not heard of for too long.

    Returns where the job is now, as :func:`died`; ``None`` if the runner was heard meanwhile.
    """
    return _died(job_id, attempt, Reason("runner.lost", text), None, lambda job: job.lease_until == lease_until)


def returned(job_id: UUID, attempt: int) -> bool:
    """Take back that the attempt's runner was lost: it has only stood still, so that is not counted as a death.

    Its work stays with whoever has the job now. Returns whether there was something to take back.
    """
    with hold(job_id) as held:
        lost = Attempt.objects.filter(job=job_id, number=attempt, outcome="runner.lost")
        if held is None or not lost.update(outcome="runner.late"):
            return False
        if held.checkpoint is None or held.checkpoint["attempt"] <= attempt:  # a newer one has forgiven it already
            Job.objects.filter(id=job_id, failures__gt=0).update(failures=F("failures") - 1)
        return True


def _leave(
    job_id: UUID,
    attempt: int,
    to: State,
    outcome: str,
    exit_code: int | None,
    reason: Reason | None = None,
    fields: dict[str, Any] | None = None,
) -> Job | None:
    """End an attempt: its job goes from running to ``to``, and the parent of a part hears of it."""
    job = change_to(job_id, to, {"state": State.RUNNING, "attempt": attempt}, reason, **(fields or {}))
    if job is None:
        return None
    ended = Attempt.objects.filter(job=job, number=attempt)
    ended.update(outcome=outcome[:40], exit_code=exit_code, ended_at=Now())
    if job.parent_id is not None and to in (State.DONE, State.FAILED):
        _part_ended(job, job.parent_id)
    return job


def _died(
    job_id: UUID,
    attempt: int,
    reason: Reason,
    exit_code: int | None,
    condition: Callable[[Job], bool] = lambda _: True,
) -> State | None:
    with hold(job_id) as held:
        if held is None or (held.state, held.attempt) != (State.RUNNING, attempt) or not condition(held):
            return None
        failures = held.failures + 1
        to = _as_desired(held, State.QUEUED)
        if to == State.QUEUED and failures >= settings.JOBS_MAX_FAILURES:
            to = State.FAILED
            reason = Reason(reason.code, f"died {failures} times without a new checkpoint; at last: {reason.text}")
        _leave(job_id, attempt, to, reason.code, exit_code, reason, {"failures": failures})
        return to


def _part_ended(part: Job, parent_id: UUID) -> None:
    """The last part that is done flips its parent, once; one that failed fails it, and the others needn't go on."""
    parts = Job.objects.filter(parent_id=parent_id)
    if part.state == State.FAILED:
        reason = Reason(part.error_code, f"part {(part.index or 0) + 1}: {part.error_text}")
        if change_to(parent_id, State.FAILED, {"state__in": (State.WAITING, State.PAUSED)}, reason) is not None:
            for other in parts.exclude(id=part.id):
                cancel_held(other)
        return
    total, done = parts.count(), parts.filter(state=State.DONE).count()
    _count_parts(parent_id, done, total)
    if done == total:
        change_to(parent_id, State.QUEUED, {"state": State.WAITING})


def _count_parts(parent_id: UUID, done: int, total: int) -> None:
    """A job that waits for its parts shows how many of them are done."""
    progress = asdict(Progress("parts", done, total, "parts"))
    Job.objects.filter(id=parent_id).update(progress=progress, last_seq=F("last_seq") + 1)
    append(Job.objects.get(id=parent_id), "progress", progress)


def _take_over(job: Job, events: Sequence[Event]) -> None:
    """Bring the row up to date with the newest progress and checkpoint."""
    news: dict[str, Any] = {}
    for event in events:
        if isinstance(event, Progress):
            news["progress"] = storable(asdict(event))
        elif isinstance(event, Checkpoint):
            # Repeating what a dead attempt had already reached is not getting anywhere.
            if job.checkpoint is None or event.iteration > job.checkpoint["iteration"]:
                news["failures"] = 0
            news["checkpoint"] = job.checkpoint = asdict(event) | {"attempt": job.attempt}
    if news:
        Job.objects.filter(id=job.id).update(**news)
        for name, value in news.items():
            setattr(job, name, value)


def _as_desired(job: Job | None, otherwise: State) -> State:
    wishes = {Desired.PAUSE: State.PAUSED, Desired.CANCEL: State.CANCELLED}
    return wishes.get(Desired(job.desired), otherwise) if job is not None else otherwise

"""Changes that people make: into the queue and within it, pause, resume, cancel, retry, extend.

A part is paused, resumed, cancelled and retried with the job that it is part of, never alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from faceengine.jobs import groups, kinds
from faceengine.jobs.models import Job
from faceengine.jobs.states import ENDED, OPEN, Desired, State
from faceengine.jobs.transitions.changes import change_to, hold, permit_of, queue_of
from faceengine.jobs.transitions.ranks import move_parts, next_rank, part_rank
from faceengine.jobs.transitions.telling import ring_after_commit, tell

PRIORITIES = range(-100, 101)
_UNHARMED = {"failures": 0, "error_code": "", "error_text": ""}


@transaction.atomic
def submit(
    kind: str,
    config: dict[str, Any],
    *,
    owner: Any = None,
    title: str = "",
    priority: int = 0,
    slot_kind: str | None = None,
    parent: Job | None = None,
    index: int | None = None,
    mandate: UUID | None = None,
) -> Job:
    """Put a new job into its queue. ``mandate``: what allows it, for kinds that ask for that.

    Raises :class:`UnknownKindError`, :class:`ConfigError` for a config that its stage would refuse, and
    :class:`Refused` for a job that may not be.
    """
    known = kinds.get(kind)
    slot_kind = slot_kind or known.slot_kind
    job = Job(
        kind=kind,
        config=known.config.from_dict(config).to_dict(),
        owner=owner,
        title=title,
        priority=priority,
        slot_kind=slot_kind,
        step="plan" if known.split else "run",
        parent=parent,
        index=index,
        mandate=mandate,
        last_seq=1,
    )
    job.mandate = known.permit(job)
    if parent is None:
        job.group = groups.known().of_job(job)
        groups.known().admit(job)
        job.rank = next_rank(job)
    else:
        job.group, job.rank = parent.group, part_rank(parent, index or 0)
    job.save(force_insert=True)
    tell(job)
    ring_after_commit(job)
    return job


def pause(job: Job) -> bool:
    """Let the job rest: at once if it does not run, otherwise as soon as its body has stopped."""
    return _steer(job, _pause)


def resume(job: Job) -> bool:
    """Let a job that is paused, or is about to be, go on. Raises :class:`Refused` for one that may not."""
    return _steer(job, _resume, anew=True)


def cancel(job: Job) -> bool:
    """End the job: at once if it does not run, otherwise as soon as its body has stopped."""
    return _steer(job, cancel_held)


def retry(job: Job) -> bool:
    """Queue a job again that failed or was cancelled, behind its group's others. It goes on from its last checkpoint.

    Raises :class:`Refused` for one that may not.
    """
    return _steer(job, _retry, anew=True)


def extend(job: Job, config: dict[str, Any]) -> bool:
    """Queue an ended job again with another config: more footage to extract from, more iterations to train.

    It works on in the same folder. A job that was done in parts can't be extended. Raises :class:`ConfigError` for a
    config that its stage would refuse, and :class:`Refused` for a job that may not go on.
    """
    fresh: dict[str, Any] = {"config": kinds.get(job.kind).config.from_dict(config).to_dict(), "result": None}
    with hold(job.id) as held:
        if held is None or held.parent_id is not None or held.state not in ENDED or held.parts.exists():
            return False
        fresh["mandate"] = permit_of(held)
        groups.known().admit(held)
        fresh["rank"] = next_rank(held)
        again = change_to(job.id, State.QUEUED, {"state": held.state}, None, **fresh, **_UNHARMED)
    return again is not None


@transaction.atomic
def move(job: Job, *, priority: int | None = None, before: Job | None = None, to_front: bool = False) -> bool:
    """Give the job another priority, or a place before another queued job, or before all of its queue."""
    if to_front:
        before = queue_of(job.slot_kind).exclude(id=job.id).first()
    rank = job.rank
    if before is not None:
        before.refresh_from_db()
        priority, rank = before.priority, _make_room(before)
    if priority is None:
        return to_front
    movable = Job.objects.filter(id=job.id, state__in=OPEN)
    if priority not in PRIORITIES or not movable.update(priority=priority, rank=rank):
        return False
    job.priority, job.rank = priority, rank
    move_parts(job)
    return True


def _steer(job: Job, change: Callable[[Job], bool], *, anew: bool = False) -> bool:
    with hold(job.id) as held:
        if held is None or held.parent_id is not None:
            return False
        if anew:
            permit_of(held)
        return change(held)


def _pause(job: Job) -> bool:
    if job.state == State.RUNNING:
        return job.desired == Desired.RUN and _wish(job, Desired.PAUSE)
    return _with_parts(job, State.PAUSED, _pause)


def _resume(job: Job) -> bool:
    if job.state == State.RUNNING:
        return job.desired == Desired.PAUSE and _wish(job, Desired.RUN)
    return job.state == State.PAUSED and _with_parts(job, _going_on(job), _resume)


def cancel_held(job: Job) -> bool:
    if job.state == State.RUNNING:
        return job.desired != Desired.CANCEL and _wish(job, Desired.CANCEL)
    return _with_parts(job, State.CANCELLED, cancel_held)


def _retry(job: Job) -> bool:
    if job.state == State.RUNNING:  # a part that was told to stop when its siblings were
        return job.parent_id is not None and job.desired == Desired.CANCEL and _wish(job, Desired.RUN)
    if job.state not in (State.FAILED, State.CANCELLED):
        return False
    if job.parent is None:
        groups.known().admit(job)
        rank = next_rank(job)
    else:
        rank = part_rank(job.parent, job.index or 0)
    return _with_parts(job, _going_on(job), _retry, rank=rank, **_UNHARMED)


def _with_parts(job: Job, to: State, change: Callable[[Job], bool], **fields: Any) -> bool:
    """Bring ``job`` from the state it was read in to ``to``, and apply ``change`` to its parts."""
    if change_to(job.id, to, {"state": job.state}, **fields) is None:
        return False
    for part in Job.objects.select_for_update().filter(parent=job).order_by("index"):
        change(part)
    return True


def _going_on(job: Job) -> State:
    """Where a job goes on that rested: to its queue, or to waiting for those of its parts that aren't done."""
    return State.WAITING if job.parts.exclude(state=State.DONE).exists() else State.QUEUED


def _wish(job: Job, desired: Desired) -> bool:
    """Ask the runner of a job for something."""
    changes = {"desired": desired, "last_seq": F("last_seq") + 1}
    if not Job.objects.filter(id=job.id, state=State.RUNNING, attempt=job.attempt).update(**changes):
        return False
    tell(Job.objects.get(id=job.id))
    return True


def _make_room(before: Job) -> int:
    """A free rank just before that job's."""
    ahead = queue_of(before.slot_kind).filter(priority=before.priority, rank__lt=before.rank)
    if ahead.filter(rank=before.rank - 1).exists():
        ahead.order_by().update(rank=F("rank") - 1)
    return before.rank - 1

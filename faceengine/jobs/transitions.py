"""The only place that changes a job. Each change is an UPDATE that holds under a condition, and its row count is asked.

Runners name the attempt they are: once the job has passed to another attempt, or has ended, nothing they write counts,
and they are told so by ``False`` or ``None``. People's changes are refused the same way when they come too late.

All times are the database's. On Postgres rows are locked parent first; on SQLite the one writer holds the database.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from faceengine.events import Checkpoint, Event, Progress
from faceengine.jobs import kinds
from faceengine.jobs.live import announce
from faceengine.jobs.models import PROTOCOL, Attempt, Job, JobEvent, Slot
from faceengine.jobs.permits import Refused
from faceengine.jobs.states import ALLOWED, ENDED, OPEN, Desired, State

log = logging.getLogger(__name__)

PRIORITIES = range(-100, 101)
_UNHARMED = {"failures": 0, "error_code": "", "error_text": ""}


@dataclass(frozen=True)
class Reason:
    """Why something ended otherwise than well: a stable code and a sentence."""

    code: str = ""
    text: str = ""


# ---- into the queue and out of it -----------------------------------------------------------------------------------


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
        rank=_last_rank(slot_kind, priority) if parent is None else parent.rank + (index or 0),
        parent=parent,
        index=index,
        mandate=mandate,
        last_seq=1,
    )
    job.mandate = known.permit(job)
    job.save(force_insert=True)
    _tell(job)
    _after_commit_ring(job)
    return job


def queue_of(slot_kind: str) -> QuerySet[Job]:
    """The jobs that wait for a slot of that kind, in the order in which they are claimed."""
    return Job.objects.filter(state=State.QUEUED, slot_kind=slot_kind).order_by("-priority", "rank", "id")


def claim(slot: Slot) -> Job | None:
    """Give ``slot`` the next job of its queue, for the length of a lease. ``None`` if there is none for it.

    A slot does one job at a time: what it still seems to be at was left behind by a process that died.
    """
    for left in Job.objects.filter(slot=slot, state=State.RUNNING):
        died(left.id, left.attempt, "runner.lost", f"{slot} was restarted")
    fitting = queue_of(slot.kind).filter(protocol__lte=PROTOCOL, kind__in=kinds.names())
    while (found := fitting.first()) is not None:
        try:
            mandate = _permit(found)
        except Refused as refusal:
            refuse(found.id, refusal)
            continue
        try:
            job = _claim(found.id, slot, mandate)
        except IntegrityError:
            # Perhaps the database has a rule of its own, and the permit is gone since a moment ago.
            if _is_permitted(found):
                raise
            continue
        if job is not None:
            return job
    return None


@transaction.atomic
def _claim(job_id: UUID, slot: Slot, mandate: UUID | None) -> Job | None:
    """``None`` if somebody else was faster."""
    job = _change(
        job_id,
        State.RUNNING,
        {"state": State.QUEUED},
        attempt=F("attempt") + 1,
        slot=slot,
        lease_until=_lease_end(),
        heard_at=Now(),
        started_at=Coalesce(F("started_at"), Now()),
        mandate=mandate,
    )
    if job is not None:
        Attempt.objects.create(job=job, number=job.attempt, slot=str(slot))
    return job


# ---- by the runner --------------------------------------------------------------------------------------------------


def beat(job_id: UUID, attempt: int) -> Desired | None:
    """Extend the lease, and say what people want of the job; ``None`` if it is no longer this attempt's.

    A job that may not go on ends here, too.
    """
    extended = _of(job_id, attempt).update(lease_until=_lease_end())
    return wanted(job_id, attempt) if extended and _may_go_on(job_id, attempt) else None


def wanted(job_id: UUID, attempt: int) -> Desired | None:
    """What people want of the job; ``None`` if it is no longer this attempt's."""
    desired = _of(job_id, attempt).values_list("desired", flat=True).first()
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
    if not _of(job_id, attempt).update(last_seq=F("last_seq") + len(events), heard_at=Now()):
        return False
    job = Job.objects.get(id=job_id)
    _take_over(job, events)
    first = job.last_seq - len(events) + 1
    JobEvent.objects.bulk_create(
        JobEvent(job=job, seq=seq, attempt=attempt, kind=type(event).__name__.lower(), data=_storable(asdict(event)))
        for seq, event in enumerate(events, first)
    )
    if (kind := _kind(job)) is not None:
        for event in events:
            _hook(kind.on_event, job, event)
    _after_commit_announce(job)
    return True


def publish(job_id: UUID, attempt: int, files: dict[str, str]) -> bool:
    """Make ``files`` (name in the job's folder → key in the storage) what the job has."""
    return bool(_of(job_id, attempt).update(files=files))


def finish(job_id: UUID, attempt: int, result: dict[str, Any], exit_code: int | None) -> bool:
    """The work is done, also if somebody wanted it stopped a moment ago."""
    with _held(job_id):
        job = _leave(job_id, attempt, State.DONE, "done", exit_code, fields={"result": _storable(result)})
    return job is not None


def fail(job_id: UUID, attempt: int, code: str, text: str, exit_code: int | None = None) -> bool:
    """The work can't be done: trying again would end the same way."""
    with _held(job_id):
        job = _leave(job_id, attempt, State.FAILED, code, exit_code, Reason(code, text))
    return job is not None


def died(job_id: UUID, attempt: int, code: str, text: str, exit_code: int | None = None) -> State | None:
    """The body or its runner came to a sudden end. The job is queued again, but not for ever.

    Returns where it is now: queued; paused or cancelled if that was wanted; or failed, after
    ``settings.JOBS_MAX_FAILURES`` deaths without a new checkpoint between them.
    """
    return _died(job_id, attempt, Reason(code, text), exit_code, Q())


def stopped(job_id: UUID, attempt: int, exit_code: int | None) -> State | None:
    """The body stopped as it was asked to, ready to go on. Returns where the job is now: as people wish, or queued."""
    with _held(job_id) as held:
        to = _as_desired(held, State.QUEUED)
        job = _leave(job_id, attempt, to, "stopped", exit_code)
    return to if job is not None else None


def split(job_id: UUID, attempt: int, parts: list[dict[str, Any]]) -> bool:
    """Queue a part for each of ``parts`` (what of the config differs in it); the job waits for them, then joins.

    Raises :class:`ConfigError` if a part's config is refused.
    """
    with _held(job_id) as held:
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
                _change(part.id, State.PAUSED, {"state": State.QUEUED})
    return True


def refuse(job_id: UUID, refusal: Refused) -> bool:
    """End a job that may not be, wherever it is: failed, with the reason. A body at work is killed by its runner."""
    reason = Reason(refusal.code, refusal.text)
    with _held(job_id) as held:
        if held is None or held.state in ENDED:
            return False
        if held.state == State.RUNNING:
            return _leave(job_id, held.attempt, State.FAILED, refusal.code, None, reason) is not None
        job = _change(job_id, State.FAILED, {"state": held.state}, reason)
        if job is not None and job.parent_id is not None:
            _part_ended(job, job.parent_id)
        for part in Job.objects.select_for_update().filter(parent=held).order_by("index"):
            _cancel(part)
        return job is not None


def _may_go_on(job_id: UUID, attempt: int) -> bool:
    """Whether the job is still this attempt's and still allowed; one that is not allowed any more has ended then."""
    job = _of(job_id, attempt).first()
    if job is None:
        return False
    try:
        _permit(job)
    except Refused as refusal:
        refuse(job_id, refusal)
        return False
    return True


def _is_permitted(job: Job) -> bool:
    try:
        _permit(job)
    except Refused:
        return False
    return True


def _permit(job: Job) -> UUID | None:
    """The mandate that the job goes on with. Raises :class:`Refused`."""
    kind = _kind(job)
    return job.mandate if kind is None else kind.permit(job)


def expire() -> int:
    """Take the jobs away from runners that have not been heard of for a lease's length; how many there were."""
    late = Q(lease_until__lt=Now())
    found = Job.objects.filter(late, state=State.RUNNING).values_list("id", "attempt", "slot__host", "slot__name")
    lost = 0
    for job_id, attempt, host, name in list(found):
        reason = Reason("runner.lost", f"{host}/{name} was not heard of for {settings.JOBS_LEASE_SECONDS} s")
        lost += _died(job_id, attempt, reason, None, late) is not None
    return lost


# ---- by people ------------------------------------------------------------------------------------------------------
# A part is paused, resumed, cancelled and retried with the job that it is part of, never alone.


def pause(job: Job) -> bool:
    """Let the job rest: at once if it does not run, otherwise as soon as its body has stopped."""
    return _steer(job, _pause)


def resume(job: Job) -> bool:
    """Let a job that is paused, or is about to be, go on. Raises :class:`Refused` for one that may not."""
    return _steer(job, _resume, anew=True)


def cancel(job: Job) -> bool:
    """End the job: at once if it does not run, otherwise as soon as its body has stopped."""
    return _steer(job, _cancel)


def retry(job: Job) -> bool:
    """Queue a job again that failed or was cancelled. It goes on from its last checkpoint.

    Raises :class:`Refused` for one that may not.
    """
    return _steer(job, _retry, anew=True)


def extend(job: Job, config: dict[str, Any]) -> bool:
    """Queue an ended job again with another config: more footage to extract from, more iterations to train.

    It works on in the same folder. A job that was done in parts can't be extended. Raises :class:`ConfigError` for a
    config that its stage would refuse, and :class:`Refused` for a job that may not go on.
    """
    fresh: dict[str, Any] = {"config": kinds.get(job.kind).config.from_dict(config).to_dict(), "result": None}
    with _held(job.id) as held:
        if held is None or held.parent_id is not None or held.state not in ENDED or held.parts.exists():
            return False
        fresh["mandate"] = _permit(held)
        again = _change(job.id, State.QUEUED, {"state": held.state}, None, **fresh, **_UNHARMED)
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
    job.parts.update(priority=priority, rank=rank + F("index"))
    return True


def _steer(job: Job, change: Callable[[Job], bool], *, anew: bool = False) -> bool:
    with _held(job.id) as held:
        if held is None or held.parent_id is not None:
            return False
        if anew:
            _permit(held)
        return change(held)


def _pause(job: Job) -> bool:
    if job.state == State.RUNNING:
        return job.desired == Desired.RUN and _wish(job, Desired.PAUSE)
    return _with_parts(job, State.PAUSED, _pause)


def _resume(job: Job) -> bool:
    if job.state == State.RUNNING:
        return job.desired == Desired.PAUSE and _wish(job, Desired.RUN)
    return job.state == State.PAUSED and _with_parts(job, _going_on(job), _resume)


def _cancel(job: Job) -> bool:
    if job.state == State.RUNNING:
        return job.desired != Desired.CANCEL and _wish(job, Desired.CANCEL)
    return _with_parts(job, State.CANCELLED, _cancel)


def _retry(job: Job) -> bool:
    if job.state == State.RUNNING:  # a part that was told to stop when its siblings were
        return job.parent_id is not None and job.desired == Desired.CANCEL and _wish(job, Desired.RUN)
    ended = job.state in (State.FAILED, State.CANCELLED)
    return ended and _with_parts(job, _going_on(job), _retry, **_UNHARMED)


def _with_parts(job: Job, to: State, change: Callable[[Job], bool], **fields: Any) -> bool:
    """Bring ``job`` from the state it was read in to ``to``, and apply ``change`` to its parts."""
    if _change(job.id, to, {"state": job.state}, **fields) is None:
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
    _tell(Job.objects.get(id=job.id))
    return True


# ---- how a job changes ----------------------------------------------------------------------------------------------


def _change(
    job_id: UUID, to: State, condition: dict[str, Any], reason: Reason | None = None, **fields: Any
) -> Job | None:
    """Bring a job into another state and tell of it; ``None``, and no change, where condition or rules say no."""
    froms = [state for state in State if to in ALLOWED[state]]
    if to != State.RUNNING:
        fields |= {"desired": Desired.RUN, "slot": None, "lease_until": None}
        fields["finished_at"] = Now() if to in ENDED else None
    if to == State.FAILED and reason is not None:
        fields |= {"error_code": reason.code[:60], "error_text": _storable(reason.text)}
    rows = Job.objects.filter(id=job_id, state__in=froms).filter(**condition)
    if not rows.update(state=to, last_seq=F("last_seq") + 1, **fields):
        return None
    job = Job.objects.select_related("slot").get(id=job_id)
    _tell(job, reason)
    if to == State.QUEUED:
        _after_commit_ring(job)
    if to in ENDED and (kind := _kind(job)) is not None:
        _hook(kind.on_end, job)
    return job


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
    job = _change(job_id, to, {"state": State.RUNNING, "attempt": attempt}, reason, **(fields or {}))
    if job is None:
        return None
    ended = Attempt.objects.filter(job=job, number=attempt)
    ended.update(outcome=outcome[:40], exit_code=exit_code, ended_at=Now())
    if job.parent_id is not None and to in (State.DONE, State.FAILED):
        _part_ended(job, job.parent_id)
    return job


def _died(job_id: UUID, attempt: int, reason: Reason, exit_code: int | None, condition: Q) -> State | None:
    with _held(job_id) as held:
        if held is None or not _of(job_id, attempt).filter(condition).exists():
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
        if _change(parent_id, State.FAILED, {"state__in": (State.WAITING, State.PAUSED)}, reason) is not None:
            for other in parts.exclude(id=part.id):
                _cancel(other)
        return
    total, done = parts.count(), parts.filter(state=State.DONE).count()
    _count_parts(parent_id, done, total)
    if done == total:
        _change(parent_id, State.QUEUED, {"state": State.WAITING})


def _count_parts(parent_id: UUID, done: int, total: int) -> None:
    """A job that waits for its parts shows how many of them are done."""
    progress = asdict(Progress("parts", done, total, "parts"))
    Job.objects.filter(id=parent_id).update(progress=progress, last_seq=F("last_seq") + 1)
    _append(Job.objects.get(id=parent_id), "progress", progress)


def _take_over(job: Job, events: Sequence[Event]) -> None:
    """Bring the row up to date with the newest progress and checkpoint."""
    news: dict[str, Any] = {}
    for event in events:
        if isinstance(event, Progress):
            news["progress"] = _storable(asdict(event))
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


def _of(job_id: UUID, attempt: int) -> QuerySet[Job]:
    """The job while it is this attempt's, or nothing."""
    return Job.objects.filter(id=job_id, state=State.RUNNING, attempt=attempt)


@contextmanager
def _held(job_id: UUID) -> Iterator[Job | None]:
    """The job as it is and stays until the block has ended; its parent is held too, and first, against deadlocks."""
    with transaction.atomic():
        rows = Job.objects.select_for_update()
        parent_id = Job.objects.filter(id=job_id).values_list("parent_id", flat=True).first()
        if parent_id is not None:
            rows.get(id=parent_id)
        yield rows.filter(id=job_id).first()


def _lease_end() -> Any:
    return Now() + timedelta(seconds=settings.JOBS_LEASE_SECONDS)


def _last_rank(slot_kind: str, priority: int) -> int:
    """The rank behind all that are queued, also if this machine's clock is late."""
    last = queue_of(slot_kind).filter(priority=priority).reverse().values_list("rank", flat=True).first()
    return max(time.time_ns() // 1000, (last or 0) + 1)


def _make_room(before: Job) -> int:
    """A free rank just before that job's."""
    ahead = queue_of(before.slot_kind).filter(priority=before.priority, rank__lt=before.rank)
    if ahead.filter(rank=before.rank - 1).exists():
        ahead.order_by().update(rank=F("rank") - 1)
    return before.rank - 1


# ---- telling --------------------------------------------------------------------------------------------------------


def _tell(job: Job, reason: Reason | None = None) -> None:
    """Append what the job has become, ``last_seq`` being counted already."""
    said = {"state": job.state, "desired": job.desired, "step": job.step, "slot": str(job.slot or "")}
    said |= {"error_code": reason.code, "error_text": reason.text} if reason else {}
    _append(job, "state", said)


def _append(job: Job, kind: str, data: dict[str, Any]) -> None:
    JobEvent.objects.create(job=job, seq=job.last_seq, attempt=job.attempt, kind=kind, data=_storable(data))
    _after_commit_announce(job)


def _storable(value: Any) -> Any:
    """``value`` without what JSON columns refuse: numbers that are none, NUL characters, halves of characters."""
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.replace("\0", "").encode(errors="replace").decode() if isinstance(value, str) else value


def _after_commit_announce(job: Job) -> None:
    transaction.on_commit(lambda: announce(job.id, job.last_seq))


def _after_commit_ring(job: Job) -> None:
    # The queue's tasks run jobs, and running a job changes it: the one circle in here is cut open where it is used.
    from faceengine.jobs import queue

    transaction.on_commit(lambda: queue.ring(job))


def _kind(job: Job) -> kinds.Kind | None:
    try:
        return kinds.get(job.kind)
    except kinds.UnknownKindError:  # people may cancel a job whose app is gone
        return None


def _hook(hook: Callable[..., None], *arguments: Any) -> None:
    """Call a web app's hook. Its defects are its own: they are logged, and hours of work are not lost for them."""
    try:
        with transaction.atomic():
            hook(*arguments)
    except (OperationalError, InterfaceError):  # not the hook's: the database is away
        raise
    except Exception:
        log.exception("a hook failed: %s of job %s", getattr(hook, "__qualname__", hook), arguments[0].id)

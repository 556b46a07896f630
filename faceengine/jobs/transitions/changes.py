"""How a job is found, held and brought into another state, whoever wants that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from faceengine.jobs import kinds
from faceengine.jobs.models import Job
from faceengine.jobs.states import ALLOWED, ENDED, Desired, State
from faceengine.jobs.transitions.reasons import Reason
from faceengine.jobs.transitions.telling import call_hook, ring_after_commit, storable, tell


def queue_of(slot_kind: str) -> QuerySet[Job]:
    """The jobs that wait for a slot of that kind, in the order in which they are claimed."""
    return Job.objects.filter(state=State.QUEUED, slot_kind=slot_kind).order_by("-priority", "rank", "id")


def change_to(
    job_id: UUID, to: State, condition: dict[str, Any], reason: Reason | None = None, **fields: Any
) -> Job | None:
    """Bring a job into another state and tell of it; ``None``, and no change, where condition or rules say no."""
    froms = [state for state in State if to in ALLOWED[state]]
    if to != State.RUNNING:
        fields |= {"desired": Desired.RUN, "slot": None, "lease_until": None}
        fields["finished_at"] = Now() if to in ENDED else None
    if to == State.FAILED and reason is not None:
        fields |= {"error_code": reason.code[:60], "error_text": storable(reason.text)}
    rows = Job.objects.filter(id=job_id, state__in=froms).filter(**condition)
    if not rows.update(state=to, last_seq=F("last_seq") + 1, **fields):
        return None
    job = Job.objects.select_related("slot").get(id=job_id)
    tell(job, reason)
    if to == State.QUEUED:
        ring_after_commit(job)
    if to in ENDED and (kind := kind_of(job)) is not None:
        call_hook(kind.on_end, job)
    return job


def of_attempt(job_id: UUID, attempt: int) -> QuerySet[Job]:
    """The job while it is this attempt's, or nothing."""
    return Job.objects.filter(id=job_id, state=State.RUNNING, attempt=attempt)


@contextmanager
def hold(job_id: UUID) -> Iterator[Job | None]:
    """The job as it is and stays until the block has ended; its parent is held too, and first, against deadlocks."""
    with transaction.atomic():
        rows = Job.objects.select_for_update()
        parent_id = Job.objects.filter(id=job_id).values_list("parent_id", flat=True).first()
        if parent_id is not None:
            rows.get(id=parent_id)
        yield rows.filter(id=job_id).first()


def kind_of(job: Job) -> kinds.Kind | None:
    try:
        return kinds.get(job.kind)
    except kinds.UnknownKindError:  # people may cancel a job whose app is gone
        return None


def permit_of(job: Job) -> UUID | None:
    """The mandate that the job goes on with. Raises :class:`Refused`."""
    kind = kind_of(job)
    return job.mandate if kind is None else kind.permit(job)


def lease_end() -> Any:
    return Now() + timedelta(seconds=settings.JOBS_LEASE_SECONDS)

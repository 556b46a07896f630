"""How a slot gets its next job."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from faceengine.jobs import kinds
from faceengine.jobs.models import PROTOCOL, Attempt, Job, Slot
from faceengine.jobs.permits import Refused
from faceengine.jobs.states import State
from faceengine.jobs.transitions.changes import change_to, lease_end, permit_of, queue_of
from faceengine.jobs.transitions.runners import died, refuse


def claim(slot: Slot) -> Job | None:
    """Give ``slot`` the next job of its queue, for the length of a lease. ``None`` if there is none for it.

    A slot does one job at a time: what it still seems to be at was left behind by a process that died.
    """
    for left in Job.objects.filter(slot=slot, state=State.RUNNING):
        died(left.id, left.attempt, "runner.lost", f"{slot} was restarted")
    fitting = queue_of(slot.kind).filter(protocol__lte=PROTOCOL, kind__in=kinds.names())
    while (found := fitting.first()) is not None:
        try:
            mandate = permit_of(found)
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
    job = change_to(
        job_id,
        State.RUNNING,
        {"state": State.QUEUED},
        attempt=F("attempt") + 1,
        slot=slot,
        lease_until=lease_end(),
        heard_at=Now(),
        started_at=Coalesce(F("started_at"), Now()),
        mandate=mandate,
    )
    if job is not None:
        Attempt.objects.create(job=job, number=job.attempt, slot=str(slot))
    return job


def _is_permitted(job: Job) -> bool:
    try:
        permit_of(job)
    except Refused:
        return False
    return True

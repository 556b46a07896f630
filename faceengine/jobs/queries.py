"""What people ask of the queue. Each answer costs the same with ten jobs and with ten thousand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from faceengine.jobs import kinds
from faceengine.jobs.models import Job, Slot
from faceengine.jobs.states import State
from faceengine.jobs.transitions import queue_of

MANY = 100
"""Places in the queue are counted up to here."""


@dataclass(frozen=True)
class Waiting:
    """For what a job waits: a stable code, and what its sentence needs.

    ==============  ===================================================================================
    code            the job waits …
    ==============  ===================================================================================
    ``paused``      until somebody resumes it
    ``parts``       for its parts, of which ``done`` of ``total`` are done
    ``kind``        for an installation that knows its ``kind``
    ``slot``        for a slot of ``slot_kind`` to come up: none is alive
    ``version``     for a slot of a newer version: those alive can't do it right
    ``ahead``       for the ``count`` jobs ahead of it (``MANY``: that many or more)
    ``busy``        for one of the ``count`` slots, which are all at work; it is the next
    ``next``        for nothing: an idle slot is about to take it
    ``nothing``     for nothing: it runs, or has ended
    ==============  ===================================================================================
    """

    code: str
    params: dict[str, Any] = field(default_factory=dict)


class Lookout:
    """What rows have in common of which each says for what it waits: read once for a page, when it is first asked."""

    def __init__(self) -> None:
        self._first: dict[str, list[Any]] = {}

    @cached_property
    def alive(self) -> list[Slot]:
        return list(live_slots())

    @cached_property
    def busy(self) -> set[int]:
        """Slots at work."""
        return {slot for slot in Job.objects.filter(state=State.RUNNING).values_list("slot", flat=True) if slot}

    def place(self, job: Job) -> int:
        """How many queued jobs go before this one; at most :data:`MANY`."""
        if job.slot_kind not in self._first:
            self._first[job.slot_kind] = list(queue_of(job.slot_kind).values_list("id", flat=True)[:MANY])
        first = self._first[job.slot_kind]
        return first.index(job.id) if job.id in first else MANY


def waiting_for(job: Job, lookout: Lookout | None = None) -> Waiting:
    """Why the job isn't running now. Rows of one page share a ``lookout``."""
    if job.state == State.PAUSED:
        return Waiting("paused")
    if job.state == State.WAITING:
        done, total = job.parts.filter(state=State.DONE).count(), job.parts.count()
        return Waiting("parts", {"done": done, "total": total})
    return _in_queue(job, lookout or Lookout()) if job.state == State.QUEUED else Waiting("nothing")


def live_slots() -> QuerySet[Slot]:
    """The slots whose processes have been heard of within a lease's length."""
    heard = Now() - timedelta(seconds=settings.JOBS_LEASE_SECONDS)
    return Slot.objects.filter(seen_at__gt=heard).order_by("host", "name")


def _in_queue(job: Job, lookout: Lookout) -> Waiting:
    if job.kind not in kinds.names():
        return Waiting("kind", {"kind": job.kind})
    alive = [slot for slot in lookout.alive if slot.kind == job.slot_kind]
    if not alive:
        return Waiting("slot", {"slot_kind": job.slot_kind})
    able = [slot for slot in alive if slot.protocol >= job.protocol]
    if not able:
        return Waiting("version")
    if ahead := lookout.place(job):
        return Waiting("ahead", {"count": ahead})
    all_busy = all(slot.pk in lookout.busy for slot in able)
    return Waiting("busy", {"count": len(able)}) if all_busy else Waiting("next")

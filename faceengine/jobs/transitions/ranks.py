"""Places in the queue: groups take turns, and within its own jobs a group may change the order.

A job's rank is the time of its turn. The first open job of a group has its turn at once, each further one a long while
after the one before. So of two groups that both have much to do each gets every other turn, and whoever has little to
do waits for at most one job of everybody else, however long the others' queues are. The claim just takes the first.
"""

from __future__ import annotations

import time

from django.db import transaction
from django.db.models import F, QuerySet

from faceengine.jobs.models import Job
from faceengine.jobs.states import State

TURN = 24 * 3600 * 1_000_000
"""Microseconds between the turns of a group: longer than jobs take."""
PART_TURN = 60 * 1_000_000
"""Between the parts of one job: about as long as one takes, so that others get in between."""


def next_rank(job: Job) -> int:
    """Return the rank behind all open jobs of the job's group for its kind of slot and priority.

    Jobs of no group keep the order in which they came, also if this machine's clock is late.
    """
    beside = Job.objects.filter(group=job.group, parent=None, slot_kind=job.slot_kind, priority=job.priority)
    beside = beside.exclude(id=job.id).order_by("-rank")
    now, last = time.time_ns() // 1000, _first_rank(beside.filter(state=State.QUEUED))
    if job.group is None:
        return max(now, (last or 0) + 1)
    at_work = _first_rank(beside.filter(state__in=(State.RUNNING, State.WAITING)))
    known = [rank for rank in (last, at_work) if rank is not None]
    return max(now, max(known) + TURN) if known else now


def part_rank(parent: Job, index: int) -> int:
    """Return the rank of a part of ``parent``."""
    return parent.rank + index * PART_TURN


def move_parts(job: Job) -> None:
    """Give the job's parts their places after its own."""
    job.parts.update(priority=job.priority, rank=job.rank + F("index") * PART_TURN)


@transaction.atomic
def move_in_group(job: Job, *, to_front: bool = False) -> bool:
    """Let a queued job go before the one of its group that is before it now, or before all of them.

    Only jobs of the same group, kind of slot and priority change places, so no other group waits longer for it. Returns
    whether the job is queued.
    """
    own = Job.objects.select_for_update().filter(
        group=job.group, parent=None, slot_kind=job.slot_kind, priority=job.priority, state=State.QUEUED
    )
    own = own.filter(owner=job.owner) if job.group is None else own
    queue = list(own.order_by("rank", "id"))
    place = next((place for place, one in enumerate(queue) if one.id == job.id), None)
    if place is None:
        return False
    first = 0 if to_front else max(0, place - 1)
    ranks = [one.rank for one in queue[first : place + 1]]
    for one, rank in zip([queue[place], *queue[first:place]], ranks, strict=True):
        if one.rank != rank:
            one.rank = rank
            one.save(update_fields=["rank"])
            move_parts(one)
    return True


def _first_rank(jobs: QuerySet[Job]) -> int | None:
    return jobs.values_list("rank", flat=True).first()

"""Places in the queue: groups take turns, and within its own jobs a group may change the order.

A job's rank is the time of its turn, as in start-time fair queueing: not earlier than the turn that was given last, and
a long while after the turn before of the same group. So of two groups that have much to do each gets every other turn,
whether they queue all at once or one by one; and whoever has little to do waits for at most one job of everybody else,
however long the others' queues are. The claim just takes the first.
"""

from __future__ import annotations

import time

from django.db import transaction
from django.db.models import F

from faceengine.jobs.models import Attempt, Job
from faceengine.jobs.states import State

TURN = 24 * 3600 * 1_000_000
"""Microseconds between the turns of a group: longer than jobs take."""
_LATELY = 100
"""Claims that are looked back at: more than there are slots."""
PART_TURN = 60 * 1_000_000
"""Between the parts of one job: about as long as one takes, so that others get in between."""


def next_rank(job: Job) -> int:
    """Return the rank behind all open jobs of the job's group for its kind of slot and priority.

    Jobs of no group keep the order in which they came, also if this machine's clock is late.
    """
    beside = Job.objects.filter(
        group=job.group, parent=None, slot_kind=job.slot_kind, priority=job.priority, state=State.QUEUED
    )
    queued = beside.exclude(id=job.id).order_by("-rank").values_list("rank", flat=True).first()
    now = time.time_ns() // 1000
    if job.group is None:
        return max(now, (queued or 0) + 1)
    given = _given_lately(job)
    own = [rank for group, rank in given if group == job.group] + ([] if queued is None else [queued])
    return max([now, *(rank for _, rank in given), *(rank + TURN for rank in own)])


def _given_lately(job: Job) -> list[tuple[int | None, int]]:
    """Return group and rank of the jobs of the same queue that were claimed last."""
    claimed = Attempt.objects.order_by("-pk").exclude(job=job)
    found = claimed.values_list("job__group", "job__rank", "job__slot_kind", "job__priority", "job__parent")[:_LATELY]
    return [
        (group, rank)
        for group, rank, slot_kind, priority, parent in found
        if (slot_kind, priority) == (job.slot_kind, job.priority) and group is not None and parent is None
    ]


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

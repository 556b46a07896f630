"""Pages of jobs by key: a page costs the same wherever it begins, and nothing is skipped when jobs come and go."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from faceengine.jobs.models import Job
from faceengine.jobs.states import State

PAGE = 50
_DIGITS = 18


@dataclass(frozen=True)
class Page:
    """Some jobs in order, and the query string of the next page, if there is one."""

    jobs: list[Job]
    next: str = ""


Lists = Sequence[QuerySet[Job]]
"""Jobs of which none is in two of the lists."""


def newest(jobs: Lists, state: State, after: str = "") -> Page:
    """Jobs in ``state``, the newest first, that come after the key ``after`` of an earlier page."""
    wanted = Q(state=state)
    if key := _key(after, uuid.UUID):
        # The instant stays in the database: SQLite keeps fewer digits of it than it would be asked for.
        at = Job.objects.filter(id=key[0]).values("created_at")
        wanted &= Q(created_at__lte=at) & (Q(created_at__lt=at) | Q(id__gt=key[0]))
    return _page(jobs, wanted, ("-created_at", "id"), lambda job: (job.id,))


def queue(jobs: Lists, slot_kind: str, after: str = "", size: int = PAGE) -> Page:
    """What waits for a slot of that kind, in the order in which it will run."""
    wanted = Q(state=State.QUEUED, slot_kind=slot_kind)
    if key := _key(after, _whole, _whole, uuid.UUID):
        priority, rank, last = key
        later = Q(priority__lt=priority) | Q(rank__gt=rank) | Q(rank=rank, id__gt=last)
        wanted &= Q(priority__lte=priority) & later
    return _page(jobs, wanted, ("-priority", "rank", "id"), lambda job: (job.priority, job.rank, job.id), size)


def _page(
    lists: Lists, wanted: Q, order: tuple[str, ...], key: Callable[[Job], tuple[Any, ...]], size: int = PAGE
) -> Page:
    """Each list gives its own first ones by its index, so that a page costs the same however long the lists are."""
    firsts = (some.filter(wanted).order_by(*order).values("pk")[: size + 1] for some in lists)
    # Once more around each: SQLite takes no limits in the members of a union.
    first, *others = (Job.objects.filter(pk__in=some).values("pk") for some in firsts)
    found = Job.objects.filter(pk__in=first.union(*others, all=True) if others else first)
    jobs = list(found.select_related("slot", "owner").order_by(*order)[: size + 1])
    if len(jobs) <= size:
        return Page(jobs)
    return Page(jobs[:size], urlencode({"after": "~".join(map(str, key(jobs[size - 1])))}))


def _whole(text: str) -> int:
    """A number that a column may hold; a longer one is none of ours. Raises ``ValueError``."""
    if len(text) > _DIGITS:
        raise ValueError("too long")
    return int(text)


def _key(text: str, *readers: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """The parts of a page's key, or ``None`` for one that can't be read: then it is the first page."""
    parts = text.split("~")
    try:
        return tuple(read(part) for read, part in zip(readers, parts, strict=True))
    except ValueError:
        return None

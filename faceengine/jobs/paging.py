"""Pages of jobs by key: a page costs the same wherever it begins, and nothing is skipped when jobs come and go."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from faceengine.jobs.models import Job
from faceengine.jobs.states import State

PAGE = 50


@dataclass(frozen=True)
class Page:
    """Some jobs in order, and the query string of the next page, if there is one."""

    jobs: list[Job]
    next: str = ""


def newest(jobs: QuerySet[Job], state: State, after: str = "") -> Page:
    """Jobs in ``state``, the newest first, that come after the key ``after`` of an earlier page."""
    wanted = jobs.filter(state=state).order_by("-created_at", "id")
    if key := _key(after, uuid.UUID):
        # The instant stays in the database: SQLite keeps fewer digits of it than it would be asked for.
        at = Job.objects.filter(id=key[0]).values("created_at")
        wanted = wanted.filter(Q(created_at__lte=at) & (Q(created_at__lt=at) | Q(id__gt=key[0])))
    return _page(wanted, lambda job: (job.id,))


def queue(jobs: QuerySet[Job], slot_kind: str, after: str = "", size: int = PAGE) -> Page:
    """What waits for a slot of that kind, in the order in which it will run."""
    wanted = jobs.filter(state=State.QUEUED, slot_kind=slot_kind).order_by("-priority", "rank", "id")
    if key := _key(after, int, int, uuid.UUID):
        priority, rank, last = key
        later = Q(priority__lt=priority) | Q(rank__gt=rank) | Q(rank=rank, id__gt=last)
        wanted = wanted.filter(Q(priority__lte=priority) & later)
    return _page(wanted, lambda job: (job.priority, job.rank, job.id), size)


def _page(wanted: QuerySet[Job], key: Callable[[Job], tuple[Any, ...]], size: int = PAGE) -> Page:
    jobs = list(wanted[: size + 1])
    if len(jobs) <= size:
        return Page(jobs)
    return Page(jobs[:size], urlencode({"after": "~".join(map(str, key(jobs[size - 1])))}))


def _key(text: str, *readers: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """The parts of a page's key, or ``None`` for one that can't be read: then it is the first page."""
    parts = text.split("~")
    try:
        return tuple(read(part) for read, part in zip(readers, parts, strict=True))
    except ValueError:
        return None

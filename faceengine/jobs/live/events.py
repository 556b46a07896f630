"""What an event looks like on the wire, and which of many are sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Max, Q
from django.urls import reverse

from faceengine.jobs.models import JobEvent

PAGE = 500
"""Events of one message at most."""


@dataclass(frozen=True)
class Batch:
    """One message: a JSON array of events, for whoever has every event up to ``after``."""

    after: int
    last: int
    """``seq`` of the last event in it."""
    text: str


def batch_after(job_id: UUID, seq: int, last: int) -> Batch | None:
    """The next events after ``seq``, up to ``last``; ``None`` if there are none.

    Of progress only the newest is of use, so all older ones are left out. The newest event of all is always sent, which
    is why ``last`` is the number of the last one in the message.
    """
    newer = JobEvent.objects.filter(job_id=job_id, seq__gt=seq, seq__lte=last)
    newest = newer.filter(kind="progress").aggregate(seq=Max("seq"))["seq"]
    wanted = newer.filter(~Q(kind="progress") | Q(seq=newest)).order_by("seq")
    rows = list(wanted.values("seq", "at", "attempt", "kind", "data")[:PAGE])
    if not rows:
        return None
    return Batch(seq, rows[-1]["seq"], encode(job_id, rows))


def encode(job_id: UUID, rows: Sequence[Any]) -> str:
    """The rows as JSON; a picture gets its address."""
    for row in rows:
        if row["kind"] == "preview":
            row["data"] = {**row["data"], "url": reverse("jobs:file", args=[job_id, row["data"]["path"]])}
    # "<" is escaped so that the same text can stand inside a page.
    return json.dumps(rows, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")

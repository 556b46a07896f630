"""What of a job the studio's own pages show live, besides its state: pictures, and warnings in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse

from faceengine.jobs.models import Job, JobEvent

SHOWN = 60
"""Pictures of a conversion that its page shows at most."""


@dataclass
class Warned:
    """What a job warned of, once: the newest sentence, and how often."""

    code: str
    text: str
    at: datetime
    times: int = 0


def warnings(job: Job) -> list[Warned]:
    """The newest first."""
    found: dict[str, Warned] = {}
    said = JobEvent.objects.filter(job=job, kind="message", data__level="warning").order_by("-seq")
    for event in said:
        warned = found.setdefault(event.data["code"], Warned(event.data["code"], event.data["text"], event.at))
        warned.times += 1
    return list(found.values())


@dataclass(frozen=True)
class Picture:
    """A frame of a conversion that is at work."""

    frame: int
    url: str


def pictures(job: Job) -> list[Picture]:
    """Of those that the conversion and its parts have kept so far: :data:`SHOWN`, spread over them, the last one
    among them, in the video's order."""
    told = JobEvent.objects.filter(Q(job=job) | Q(job__parent=job), kind="preview").order_by("seq")
    by_frame: dict[int, Picture] = {}
    for job_id, data in told.values_list("job", "data"):
        by_frame[data["iteration"]] = _picture(job_id, data)
    found = [by_frame[frame] for frame in sorted(by_frame)]
    return found[::-1][:: -(-len(found) // SHOWN) or 1][::-1]


def _picture(job_id: Any, data: dict[str, Any]) -> Picture:
    return Picture(data["iteration"], reverse("jobs:file", args=[job_id, data["path"]]))

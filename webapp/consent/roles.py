"""Who may do what with jobs, asked of many at once: a job's mandate says of which project it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from faceengine.jobs.models import Job
from webapp.consent.models import Mandate
from webapp.projects.access import REACH, Verb


def within(user: Any, verb: Verb, jobs: Sequence[Job]) -> tuple[set[UUID], list[Job]]:
    """The keys of those jobs with which ``user``'s role allows ``verb``, and the jobs of no team of the user's."""
    if not user.is_authenticated or not user.is_active:
        return set(), []
    known = Mandate.objects.filter(
        pk__in={job.mandate for job in jobs if job.mandate}, project__team__memberships__user=user
    )
    roles = known.values_list("pk", "project__team__memberships__role")
    reach: dict[UUID | None, int] = {mandate: REACH[role].value for mandate, role in roles}
    able = {job.pk for job in jobs if reach.get(job.mandate, 0) >= verb.value}
    return able, [job for job in jobs if job.mandate not in reach]

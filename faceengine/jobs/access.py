"""Jobs as a person may have them: somebody who may not see a job is told that there is none."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from faceengine.jobs import groups, kinds
from faceengine.jobs.models import Job


def may_watch(user: Any, job: Job) -> bool:
    """Whether ``user`` may see the job, its events and its files."""
    try:
        return kinds.get(job.kind).may_watch(user, job)
    except kinds.UnknownKindError:
        # Left behind by an app that is gone: nobody can say whose it is but those who run the installation.
        return bool(user.is_active and user.is_staff)


def may_steer(user: Any, job: Job) -> bool:
    """Whether ``user`` may pause, cancel and move the job."""
    try:
        return kinds.get(job.kind).may_steer(user, job)
    except kinds.UnknownKindError:
        return bool(user.is_active and user.is_staff)


def steerable(user: Any, jobs: Sequence[Job]) -> set[uuid.UUID]:
    """Those of ``jobs`` that ``user`` may steer, with as many queries for many as for a few."""
    together: dict[Any, list[Job]] = defaultdict(list)
    for job in jobs:
        asked = kinds.get(job.kind).steerable if job.kind in kinds.names() else None
        together[asked].append(job)
    able = {job.pk for job in together.pop(None, []) if may_steer(user, job)}
    return able.union(*(asked(user, some) for asked, some in together.items()))


def jobs_of(user: Any) -> list[QuerySet[Job]]:
    """The jobs that lists show ``user``, apart so that an index has each: those of the user's groups, and of those that
    are no group's one's own, or all to whoever runs the installation. No parts of jobs."""
    whole = Job.objects.filter(parent=None)
    nobody_s = whole.filter(group=None)
    own = nobody_s if user.is_staff else nobody_s.filter(owner=user)
    return [own, *(whole.filter(group=group) for group in groups.known().of_user(user))]


def get_job(user: Any, job_id: uuid.UUID) -> Job:
    """The job, if ``user`` may see it. Raises :class:`Http404` otherwise."""
    job = Job.objects.select_related("slot", "owner", "parent").filter(pk=job_id).first()
    if job is None or not may_watch(user, job):
        raise Http404
    return job


def get_job_to_steer(user: Any, job_id: uuid.UUID) -> Job:
    """The job, if ``user`` may steer it. Raises :class:`Http404` or, if it may only be seen, ``PermissionDenied``."""
    job = get_job(user, job_id)
    if not may_steer(user, job):
        raise PermissionDenied
    return job

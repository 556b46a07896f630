"""What one team, and one member of it, may have at once: footage, disk of everything, jobs, files on their way."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from faceengine.jobs.disk import is_counted
from faceengine.jobs.models import Job
from faceengine.jobs.permits import Refused
from faceengine.jobs.states import OPEN
from webapp.accounts.models import User
from webapp.uploads.models import Asset, AssetState, Upload

_MIB = 2**20
_JOBS_LOCK = 7_204_113
"""First number of the advisory locks: nothing else in the database uses it."""
REASONS: dict[str, Promise] = {
    "team.disk": _("Your team has used up its disk space. Delete trainings, conversions or footage, then try again."),
    "team.jobs": _("Your team already has %(most)d jobs queued or running. Wait until some end, or cancel some."),
    "team.member_jobs": _("You already have %(most)d jobs queued or running. Wait until some end, or cancel some."),
}
"""By code: why a job is not queued, or ends."""


class QuotaError(Refused):
    """A team, or a member of it, has as much as it may have."""

    def __init__(self, code: str, **values: int) -> None:
        super().__init__(code, str(REASONS[code]) % values)


@dataclass(frozen=True)
class Quota:
    """A team's space in bytes."""

    team_id: int
    used: int
    """By footage."""
    total: int

    @property
    def room(self) -> int:
        """What is left of the space for everything that the team has, its jobs' results too. Asks the database."""
        return int(settings.TEAM_DISK_MB) * _MIB - self.used - _results(self.team_id)

    @property
    def left(self) -> int:
        return max(0, min(self.total - self.used, self.room))


def quota(team_id: int) -> Quota:
    """Return what the team's footage takes up, with what has arrived of files on their way.

    What is announced and has not arrived counts for nothing: nobody can reserve what others need.
    """
    return Quota(team_id, _footage(team_id), settings.UPLOADS_TEAM_MB * _MIB)


def may_begin_upload(team_id: int, user: User) -> bool:
    """Return whether the team and ``user`` have few enough files on their way or being checked."""
    checking = Asset.objects.filter(person__project__team=team_id, state=AssetState.CHECKING)
    coming = _coming(team_id)
    own = Q(uploaded_by=user)
    theirs = checking.filter(own).count() + coming.filter(own).count()
    return theirs < settings.UPLOADS_MEMBER_OPEN and checking.count() + coming.count() < settings.UPLOADS_TEAM_OPEN


def admit(job: Job) -> None:
    """Raise :class:`QuotaError` ``team.jobs``, ``team.member_jobs`` or ``team.disk`` if one more job is too many.

    Jobs of no team are those of whoever runs the installation. To be called in a transaction.
    """
    if job.group is None or not is_counted(job):
        return
    _lock(job.group)
    uncounted = Q(asset__isnull=False)
    there = Job.objects.filter(group=job.group, parent=None, state__in=OPEN).exclude(uncounted).exclude(pk=job.pk)
    if there.count() >= settings.JOBS_TEAM_OPEN:
        raise QuotaError("team.jobs", most=settings.JOBS_TEAM_OPEN)
    if job.owner_id is not None and there.filter(owner=job.owner_id).count() >= settings.JOBS_MEMBER_OPEN:
        raise QuotaError("team.member_jobs", most=settings.JOBS_MEMBER_OPEN)
    check_disk(job)


def _lock(team_id: int) -> None:
    """Let nobody else count the team's jobs until the transaction has ended.

    So of two that begin at once the second counts the first. Whoever submits holds rows already, so it is no row, which
    others might lock in another order. SQLite has one writer only.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_JOBS_LOCK, team_id % 2**31])


def check_disk(job: Job) -> None:
    """Raise :class:`QuotaError` ``team.disk`` if the job's team has no room left."""
    if job.group is not None and is_counted(job) and quota(job.group).room <= 0:
        raise QuotaError("team.disk")


def _footage(team_id: int) -> int:
    assets = Asset.objects.filter(person__project__team=team_id).aggregate(bytes=Sum("stored"))["bytes"]
    return int(assets or 0) + int(_coming(team_id).aggregate(bytes=Sum("offset"))["bytes"] or 0)


def _results(team_id: int) -> int:
    return int(Job.objects.filter(group=team_id, stored__gt=0).aggregate(bytes=Sum("stored"))["bytes"] or 0)


def _coming(team_id: int) -> QuerySet[Upload]:
    return Upload.objects.filter(person__project__team=team_id, asset=None, expires_at__gt=timezone.now())

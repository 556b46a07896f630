"""How much of the installation a team's jobs may take."""

from __future__ import annotations

from faceengine.jobs.models import Job
from webapp.consent.job_groups import Teams
from webapp.uploads import quotas


class LimitedTeams(Teams):
    """Teams, of which each has so much and no more."""

    def admit(self, job: Job) -> None:
        """Raise :class:`webapp.uploads.quotas.QuotaError` if the job's team or owner has too much already."""
        quotas.admit(job)

    def check_disk(self, job: Job) -> None:
        """Raise :class:`webapp.uploads.quotas.QuotaError` if the job's team has no room left."""
        quotas.check_disk(job)

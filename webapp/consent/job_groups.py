"""Whose jobs are: a job's mandate says of which project, and so of which team, it is. Each team is a group of the
ledger's, and ``webapp.projects.access`` says who may do what in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.urls import reverse

from faceengine.jobs.groups import Groups, Place
from faceengine.jobs.models import Job
from webapp.consent.models import Mandate
from webapp.projects.access import Verb, cap_reaches, may, teams_where


class Teams(Groups):
    """The groups of the studio."""

    def of_job(self, job: Job) -> int | None:
        """The team of the project whose consents the job names."""
        if job.mandate is None:
            return None
        return Mandate.objects.filter(pk=job.mandate).values_list("project__team", flat=True).first()

    def of_user(self, user: Any) -> Sequence[int]:
        """The teams that ``user`` is a member of."""
        return sorted(teams_where(user, Verb.VIEW))

    def places(self, jobs: Sequence[Job]) -> Mapping[UUID, Place]:
        """Their projects."""
        mandates = Mandate.objects.filter(pk__in={job.mandate for job in jobs if job.mandate})
        found = {pk: (number, name) for pk, number, name in mandates.values_list("pk", "project", "project__name")}
        projects = {job.pk: found[job.mandate] for job in jobs if job.mandate in found}
        return {pk: Place(name, reverse("project", args=[number])) for pk, (number, name) in projects.items()}


def may_with(user: Any, verb: Verb, job: Job) -> bool:
    """Whether ``user`` may do ``verb`` with the job. One that is no team's, as if queued by hand, is its owner's and
    theirs who run the installation."""
    if is_erased(job):
        return False
    return _own(user, verb, job) if job.group is None else may(user, verb, job.group)


def is_erased(job: Job) -> bool:
    """Whether a withdrawal has taken the job, whose row stays only until its process is surely dead.

    A job that names consents is its team's from its first day; a withdrawal takes it from them.
    """
    return job.mandate is not None and job.group is None and job.owner_id is None


def able(user: Any, verb: Verb, jobs: Sequence[Job]) -> set[UUID]:
    """:func:`may_with` of many jobs at once."""
    teams = teams_where(user, verb)

    def is_able(job: Job) -> bool:
        return _own(user, verb, job) if job.group is None else job.group in teams

    return {job.pk for job in jobs if not is_erased(job) and is_able(job)}


def _own(user: Any, verb: Verb, job: Job) -> bool:
    return own_or_staff(user, job) and cap_reaches(user, verb)


def own_or_staff(user: Any, job: Job) -> bool:
    """Whether ``user`` asked for the job or runs this installation."""
    return bool(user.is_active and (user.is_staff or (job.owner_id is not None and job.owner_id == user.pk)))

"""Deleting what a project holds: a conversion, a run, or all of it. Rows go at once, their files right after.

Taking away needs no consent. What is still at work is refused; what has ended may have a body that is still dying, and
its folder is looked at again (``webapp.consent.leftovers``).
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Q, QuerySet

from faceengine.jobs.models import Job
from faceengine.jobs.rows import jobs_within, models_of_jobs, rows_within
from faceengine.jobs.states import OPEN
from webapp.accounts.models import User
from webapp.consent.evidence import destroy
from webapp.consent.leftovers import forget_jobs, leave
from webapp.consent.models import Mandate
from webapp.projects.models import Project
from webapp.projects.services import record
from webapp.studio.errors import StudioError
from webapp.studio.holding import hold
from webapp.studio.models import Conversion, Run
from webapp.uploads.models import Upload


@transaction.atomic
def delete_conversion(actor: User, conversion: Conversion) -> None:
    """Delete a conversion with its score. Raises :class:`StudioError` ``removal.busy``, ``.gone``."""
    project = conversion.run.project
    hold(project, conversion)
    jobs = _jobs(jobs_within(conversion))
    _refuse_open(jobs)
    record(actor, "conversion.deleted", project.team, project, name=conversion.job.title)
    forget_jobs(jobs)


@transaction.atomic
def delete_run(actor: User, run: Run) -> None:
    """Delete a run with its snapshots, checkpoints and conversions.

    Raises :class:`StudioError` ``removal.busy``, ``.gone``.
    """
    hold(run.project, run)
    jobs = _jobs(jobs_within(run))
    _refuse_open(jobs)
    record(actor, "run.deleted", run.project.team, run.project, name=run.name)
    forget_jobs(jobs)


@transaction.atomic
def delete_project(actor: User, project: Project) -> None:
    """Delete a project with all that is in it. The records of consent stay, without evidence and names.

    Raises :class:`StudioError` ``removal.busy``, ``.gone``.
    """
    hold(project)
    # Jobs from before they named consents are found by their rows alone.
    named = Q(mandate__in=Mandate.objects.filter(project=project).values("pk"))
    jobs = _jobs(jobs_within(project) | named)
    _refuse_open(jobs)
    record(actor, "project.deleted", project.team, project, name=project.name)
    for person in project.people.all():
        destroy(person)
        person.consents.update(name="", email="", refused_why="")
    every = Job.objects.filter(pk__in=list(jobs.values_list("pk", flat=True)))  # found by rows that go first
    Upload.objects.filter(person__project=project).delete()
    for model, _ in models_of_jobs():
        rows_within(model, project).delete()
    forget_jobs(every)
    leave({project.folder: True})  # pictures are made when they are first looked at, and a file may be arriving
    project.delete()


def _jobs(which: Q) -> QuerySet[Job]:
    """Such jobs and their parts."""
    found = Job.objects.filter(which).values("pk")
    return Job.objects.filter(Q(pk__in=found) | Q(parent__in=found))


def _refuse_open(jobs: QuerySet[Job]) -> None:
    """Also of what is steered at this moment: whoever does that has these rows, or waits until they are gone."""
    held = list(jobs.select_for_update().order_by(F("parent").asc(nulls_first=True), "index", "pk"))
    if any(job.state in OPEN for job in held):
        raise StudioError("removal.busy")

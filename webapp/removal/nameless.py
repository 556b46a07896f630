"""What a withdrawal does where the team wrote the person's name: in names of the project and of files, in reasons."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django.db.models import QuerySet

from faceengine.jobs.models import Job
from webapp.consent import statements
from webapp.consent.models import Consent, Mandate
from webapp.projects.mentions import Mentions
from webapp.projects.models import Person, Project
from webapp.projects.services import record
from webapp.uploads.models import Asset, Upload


def remove_mentions(person: Person, mentions: Mentions) -> None:
    """Replace names that contain the person's. The other person's own name stays theirs."""
    if not mentions:
        return
    _rename_project(person.project, mentions)
    for model in (Asset, Upload):
        _rename_files(model.objects.filter(person__project=person.project_id), mentions)
    of_project = Mandate.objects.filter(project=person.project_id).values("pk")
    for job in Job.objects.filter(mandate__in=of_project).exclude(title="").only("pk", "title"):
        if mentions.within(job.title):
            Job.objects.filter(pk=job.pk).update(title="")
    for consent in Consent.objects.filter(project_number=person.project_id).exclude(refused_why=""):
        if mentions.within(consent.refused_why):
            Consent.objects.filter(pk=consent.pk).update(refused_why="")


def _rename_project(project: Project, mentions: Mentions) -> None:
    before, now = project.name, f"Project {project.pk}"
    if not mentions.within(before):
        return
    project.name = now
    Project.objects.filter(pk=project.pk).update(name=now)
    for consent in Consent.objects.filter(person__project=project).select_related("person__project"):
        statements.rename_in_agreed(consent, before, now)
    record(None, "project.renamed", project.team, project, name=now)


def _rename_files(files: QuerySet[Any], mentions: Mentions) -> None:
    for file in files:
        if mentions.within(file.name):
            files.filter(pk=file.pk).update(name=f"File {str(file.pk)[:8]}{PurePath(file.name).suffix[:8]}")

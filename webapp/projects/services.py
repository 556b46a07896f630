"""What changes a project: one function for each thing that people do."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from webapp.accounts.models import Team, User
from webapp.projects import audit
from webapp.projects.models import AuditEntry, Person, Project, Side


def record(actor: User | None, verb: str, team: Team, project: Project | None = None, **data: Any) -> AuditEntry:
    """Add to the audit trail; ``actor`` is ``None`` for what the studio did by itself."""
    return audit.append(actor, verb, team, project, data)


@transaction.atomic
def create_project(actor: User, team: Team, name: str, *, a: str = "", b: str = "") -> Project:
    """A new project with its person A and person B, who may have names."""
    project = Project.objects.create(team=team, name=name, created_by=actor)
    same = bool(a.strip()) and a.strip().casefold() == b.strip().casefold()
    Person.objects.bulk_create(
        [Person(project=project, side=side, name=known, namesake=same) for side, known in ((Side.A, a), (Side.B, b))]
    )
    record(actor, "project.created", team, project, name=name)
    return project


@transaction.atomic
def rename_project(actor: User, project: Project, name: str) -> None:
    """Give the project another name."""
    before, project.name = project.name, name
    project.save(update_fields=["name"])
    record(actor, "project.renamed", project.team, project, before=before, name=name)

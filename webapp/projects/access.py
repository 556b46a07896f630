"""Projects as somebody may have them: views fetch what they show through these functions. What a role allows is in
``webapp.accounts.access``.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from webapp.accounts.access import (
    REACH,
    Verb,
    backs,
    cap_reaches,
    get_team,
    may,
    reaches,
    require,
    role_of,
    teams_where,
)
from webapp.projects.models import Person, Project

__all__ = [
    "REACH",
    "Verb",
    "backs",
    "cap_reaches",
    "get_person",
    "get_project",
    "get_project_and_role",
    "get_team",
    "may",
    "projects_of",
    "reaches",
    "require",
    "role_of",
    "teams_where",
]


def projects_of(user: Any) -> QuerySet[Project]:
    """Every project that ``user`` may see, newest first."""
    return Project.objects.filter(team__memberships__user=user).order_by("-created_at", "-id")


def get_project(user: Any, project_id: int, verb: Verb = Verb.VIEW) -> Project:
    """The project with its team, if ``user`` may do ``verb`` with it; see :func:`require` otherwise."""
    return get_project_and_role(user, project_id, verb)[0]


def get_project_and_role(user: Any, project_id: int, verb: Verb = Verb.VIEW) -> tuple[Project, str]:
    """As :func:`get_project`, and the user's role in it."""
    project = Project.objects.select_related("team").filter(pk=project_id).first()
    if project is None:
        raise Http404
    return project, require(user, verb, project.team_id)


def get_person(user: Any, project_id: int, side: str, verb: Verb = Verb.VIEW) -> Person:
    """Person A or B of a project. Raises as :func:`require`."""
    person = Person.objects.select_related("project__team").filter(project=project_id, side=side).first()
    if person is None:
        raise Http404
    require(user, verb, person.project.team_id)
    return person

"""What the studio adds to the pages of projects: where each stands, its runs and conversions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver
from django.http import HttpRequest

from faceengine.jobs.states import State
from webapp.pages import page_of
from webapp.projects.models import Project
from webapp.projects.pages import listed, opened
from webapp.studio.forms import ExtractForm
from webapp.studio.standing import standings

SHOWN = 50
"""Runs and conversions of a project on a page."""


@receiver(listed)
def of_projects(projects: Sequence[Project], **_: Any) -> dict[str, Any]:
    """Where each of the projects stands."""
    return {"standings": standings(projects)}


@receiver(opened)
def of_project(project: Project, request: HttpRequest, **_: Any) -> dict[str, Any]:
    """Where the project stands, its runs and conversions, and the form to extract faces."""
    (standing,) = standings([project])
    return {
        "standing": standing,
        "people": [one.person for one in standing.people],
        "runs": page_of(standing.runs, request.GET.get("runs"), SHOWN),
        "conversions": page_of(standing.conversions, request.GET.get("conversions"), SHOWN),
        "scored": any(hasattr(one, "score") and one.score.job.state == State.DONE for one in standing.conversions),
        "extract": ExtractForm(),
    }

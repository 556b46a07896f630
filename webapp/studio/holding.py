"""Against what happens at the same time: whoever begins something in a project and whoever deletes it take turns."""

from __future__ import annotations

from typing import Any

from webapp.projects.models import Project
from webapp.studio.errors import StudioError


def hold(project: Project, *rows: Any) -> None:
    """Until the transaction ends nobody else begins or deletes anything in the project.

    Raises :class:`StudioError` ``removal.gone`` if it, or one of ``rows`` of it, was deleted after it had been read.
    """
    there = Project.objects.select_for_update().filter(pk=project.pk).values_list("pk", flat=True)
    if not list(there) or not all(type(row).objects.filter(pk=row.pk).exists() for row in rows):
        raise StudioError("removal.gone")

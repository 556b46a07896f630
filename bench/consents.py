"""What the benches' jobs name: the consents of two people who were made by a computer, as in the demo's clips."""

from __future__ import annotations

from typing import Any
from uuid import UUID


def agreed(project: Any) -> UUID:
    """The key of the project's mandate; its people agree."""
    from webapp.consent.gate import Act, require_consent
    from webapp.consent.services import grant_synthetic

    grant_synthetic(project)
    return require_consent(project, Act.DELIVER).pk


def mandate() -> UUID:
    """As :func:`agreed`, of a project that is there for this only."""
    from webapp.accounts.models import Team
    from webapp.projects.models import Project
    from webapp.projects.services import create_project

    project = Project.objects.filter(name="Bench's jobs").first()
    if project is None:
        project = create_project(None, Team.objects.create(name="Bench"), "Bench's jobs")  # type: ignore[arg-type]
    return agreed(project)

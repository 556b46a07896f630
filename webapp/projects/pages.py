"""What apps above this one add to the pages of projects: each listens, and returns a part of the template's context."""

from __future__ import annotations

from typing import Any

from django.dispatch import Signal

from webapp.projects.models import Project

listed = Signal()
"""Sent for the list of projects, with ``projects``: those that are shown, in their order."""
opened = Signal()
"""Sent for the page of one project, with ``project`` and ``request``."""


def context_of(signal: Signal, **about: Any) -> dict[str, Any]:
    """Return what all listeners add to a page."""
    found: dict[str, Any] = {}
    parts: list[Any] = [part for _, part in signal.send(sender=Project, **about)]
    for part in parts:
        found |= part
    return found

"""What pages show of the demo: its account, and that it goes on by itself."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings

from webapp.demo.account import SHOWN, Known
from webapp.demo.models import Demo
from webapp.demo.steps import FAILED, STEPS, WORKING, standing_of
from webapp.projects.models import Project

register = template.Library()


@register.simple_tag
def demo_account() -> Known | None:
    """The account that the sign-in page shows, in the demo's mode."""
    return SHOWN if settings.DEMO else None


@register.inclusion_tag("demo/_note.html")
def demo_note(project: Project) -> dict[str, Any]:
    """Says that the project goes on by itself, and whether a step of it has failed. Nothing for other projects."""
    if not settings.DEMO:
        return {}
    demo = Demo.objects.filter(project=project, state=Demo.State.RUNNING).first()
    return {"demo": demo, "failed": demo is not None and _has_failed(demo)}


def _has_failed(demo: Demo) -> bool:
    places = [standing_of(demo, step) for step in STEPS.values()]
    return FAILED in places and WORKING not in places

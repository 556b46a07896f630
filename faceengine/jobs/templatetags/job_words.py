"""Filters for the jobs' pages: codes and numbers in words."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from faceengine.jobs import words
from faceengine.jobs.models import Job

register = template.Library()
register.filter("kind_words", words.kind)
register.filter("stage_words", words.stage)
register.filter("unit_words", words.unit)
register.filter("message_words", words.message)
register.filter("advice_words", words.advice)
register.filter("change_words", words.change)
register.filter("asked_words", words.asked)


@register.filter
def eta(progress: dict[str, Any] | None) -> str:
    """How long the stage will still take at its present rate; empty while that is unknown."""
    if not progress or not progress.get("total") or not progress.get("rate"):
        return ""
    return duration((progress["total"] - progress["done"]) / progress["rate"])


@register.filter
def duration(seconds: float) -> str:
    """``seconds`` by their two largest units."""
    seconds = max(0, round(seconds))
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds % 60}
    return _("%(seconds)d s") % {"seconds": seconds}


@register.filter
def outcome_words(outcome: str) -> str:
    """How an attempt ended."""
    plain = {"done": _("done"), "stopped": _("stopped on request"), "split": _("split into segments")}
    return plain.get(outcome) or str(words.message(outcome))


@register.filter
def preview_url(preview: dict[str, Any], job: Job) -> str:
    """Where the picture is; empty without one."""
    return reverse("jobs:file", args=[job.pk, preview["path"]]) if preview else ""


@register.filter
def name(job: Job) -> str:
    """The job's title, or what it does."""
    return job.title or str(words.kind(job.kind))


@register.simple_tag
def setting(value: Any) -> str:
    """A config's value as a person reads it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "–" if value is None or value == "" else str(value)

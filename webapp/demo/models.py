"""How far the demo is."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from webapp.projects.models import Project


class Demo(models.Model):
    """The one demo of an installation. What its steps have made lies where everything of a project lies."""

    class State(models.TextChoices):
        RUNNING = "running", _("in progress")
        DONE = "done", _("done")
        LEFT = "left", _("taken over by a user")

    project = models.OneToOneField(Project, models.SET_NULL, null=True, related_name="demo")
    """``None`` once somebody has deleted it: it is not made again."""
    state = models.CharField(max_length=7, choices=State.choices, default=State.RUNNING)
    begun = models.JSONField(default=dict)
    """By name of the step: the key, as text, of what it has made."""

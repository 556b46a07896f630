"""What a team works on, and the trail of what was done to it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from webapp.accounts.models import Team


class Project(models.Model):
    """Two people, the footage of each, and everything made of it."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="projects")
    name = models.CharField(_("name"), max_length=100)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["team", "-created_at", "id"], name="projects_newest")]

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> str:
        """The name, in the storage, of the folder that all of the project's own files are in."""
        return f"projects/{self.pk}"


class Side(models.TextChoices):
    """Person A or person B. ``a2b``: in a video of A, A's face becomes B's."""

    A = "a", _("person A")
    B = "b", _("person B")


class Person(models.Model):
    """One of a project's two people."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="people")
    side = models.CharField(max_length=1, choices=Side.choices)
    name = models.CharField(_("name"), max_length=100, blank=True)

    class Meta:
        ordering: ClassVar = ["side"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["project", "side"], name="one_person_a_side")]

    def __str__(self) -> str:
        return self.name or str(Side(self.side).label)

    @property
    def folder(self) -> str:
        """The name, in the storage, of the folder that the person's footage and faces are in."""
        return f"{self.project.folder}/{self.side}"


class AuditEntry(models.Model):
    """One thing that was done. Entries are only ever added."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="audit")
    project = models.ForeignKey(Project, models.SET_NULL, null=True, related_name="audit")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())
    verb = models.CharField(max_length=40)
    """Stable, in the form ``project.created``; pages translate it."""
    data = models.JSONField(default=dict)
    """Names and numbers as they were then, so that the entry can be read when its objects are gone."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["team", "-id"], name="audit_newest")]

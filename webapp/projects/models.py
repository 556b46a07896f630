"""What a team works on, and the trail of what was done to it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from webapp.accounts.models import Team
from webapp.names import NameField


class Project(models.Model):
    """Two people, the footage of each, and everything made of it."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="projects")
    name = NameField(_("name"), max_length=100)
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
    name = NameField(_("name"), max_length=100, blank=True)
    namesake = models.BooleanField(default=False)
    """Whether the project's other person has the same name."""

    class Meta:
        ordering: ClassVar = ["side"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["project", "side"], name="one_person_a_side")]

    def __str__(self) -> str:
        if self.name and self.namesake:
            return f"{self.name} ({self.side.upper()})"
        return self.name or str(Side(self.side).label)

    @property
    def folder(self) -> str:
        """The name, in the storage, of the folder that the person's footage and faces are in."""
        return f"{self.project.folder}/{self.side}"


class AuditEntry(models.Model):
    """One thing that was done, in the chain of its team: see ``audit.py``. Entries are only ever added.

    The ids of team, project and actor are plain numbers to the database: they stay when their objects are gone.
    """

    team = models.ForeignKey(Team, models.DO_NOTHING, db_constraint=False, related_name="audit")
    number = models.BigIntegerField()
    """Its place in the team's chain, from 1."""
    project = models.ForeignKey(Project, models.DO_NOTHING, db_constraint=False, null=True, related_name="audit")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    at = models.DateTimeField()
    """By the database's clock."""
    verb = models.CharField(max_length=40)
    """Stable, in the form ``project.created``; pages translate it."""
    data = models.JSONField(default=dict)
    """Names and numbers as they were then, so that the entry can be read when its objects are gone. It is the only part
    that can be erased."""
    salt = models.CharField(max_length=32, blank=True)
    """Of ``commitment``; empty once ``data`` is erased."""
    commitment = models.CharField(max_length=64)
    """SHA-256 of salt and ``data``: what the chain holds of them."""
    previous = models.CharField(max_length=64)
    """``hash`` of the entry before."""
    hash = models.CharField(max_length=64)
    """SHA-256 over everything but ``data`` and ``salt``."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["team", "-id"], name="audit_newest")]
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "number"], name="one_entry_of_a_number")]


class AuditHead(models.Model):
    """Where a team's chain ends, and what was found when it was last checked. The row is the lock of whoever adds."""

    team_number = models.BigIntegerField(primary_key=True)
    """The team's key, kept when the team is gone."""
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)
    checked_at = models.DateTimeField(null=True)
    checked_number = models.BigIntegerField(default=0)
    """The last entry that was there then."""
    broken = models.CharField(max_length=40, blank=True)
    """Code of the first thing that was wrong then."""
    broken_number = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.team_number}:{self.number}:{self.hash}"

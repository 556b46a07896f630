"""What the studio keeps of the engine's work: runs, their snapshots, conversions, scores.

Each belongs to one job of the ledger, which knows how far it is; files lie in the job's folder.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from faceengine.jobs.models import Job
from faceengine.jobs.states import State
from webapp.names import NameField
from webapp.projects.models import Project, Side
from webapp.studio.words import swap_settings
from webapp.uploads.models import Asset


class Direction(models.TextChoices):
    """Whose video gets whose face."""

    A2B = "a2b", _("A gets the face of B")
    B2A = "b2a", _("B gets the face of A")

    @property
    def wanted(self) -> Side:
        """The person whose face the result has."""
        return Side.B if self == Direction.A2B else Side.A


class Run(models.Model):
    """One training of a model that swaps a project's two people."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="runs")
    job = models.OneToOneField(Job, models.CASCADE, related_name="run")
    name = NameField(_("name"), max_length=100)
    parent = models.ForeignKey("Snapshot", models.SET_NULL, null=True, related_name="branches")
    """The snapshot whose weights it began with."""
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["project", "-created_at", "id"], name="runs_newest")]

    def __str__(self) -> str:
        return self.name


class Snapshot(models.Model):
    """A run as it was at one iteration: how it drew, what its losses were, and, if it was kept, its checkpoint."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="snapshots")
    iteration = models.PositiveIntegerField()
    preview = models.CharField(max_length=200, blank=True)
    """Name of its preview in the job's folder."""
    checkpoint = models.CharField(max_length=200, blank=True)
    """Name of its checkpoint in the job's folder; the engine removes those that the run does not keep."""
    losses = models.JSONField(default=dict)
    """The newest means of the losses by then."""

    class Meta:
        ordering: ClassVar = ["iteration"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "iteration"], name="one_snapshot_an_iteration")]


def _made(job: Job) -> str:
    """Name of what the job has made, in its folder; empty until it is there."""
    return str((job.result or {}).get("path", "")) if job.state == State.DONE else ""


class Conversion(models.Model):
    """One video with the other person's face."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="conversions")
    job = models.OneToOneField(Job, models.CASCADE, related_name="conversion")
    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="conversions")
    """The video that was converted, until somebody deletes it."""
    snapshot = models.ForeignKey(Snapshot, models.SET_NULL, null=True, related_name="+")
    """The snapshot that it was converted with; ``None``: the run as it was when the conversion began."""
    direction = models.CharField(max_length=3, choices=Direction.choices)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["run", "-created_at", "id"], name="conversions_newest")]

    def __str__(self) -> str:
        return self.job.title

    @property
    def result(self) -> str:
        """Name of the converted video in the job's folder; empty until it is there."""
        return _made(self.job)


class Still(models.Model):
    """One frame of what a conversion would make, to choose its settings by. They are in its job's config."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="stills")
    job = models.OneToOneField(Job, models.CASCADE, related_name="still")
    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="+")
    snapshot = models.ForeignKey(Snapshot, models.SET_NULL, null=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["run", "-created_at", "id"], name="stills_newest")]

    @property
    def picture(self) -> str:
        """Name of the picture in the job's folder; empty until it is there."""
        return _made(self.job)

    @property
    def described(self) -> list[str]:
        """How it is made, in words."""
        return swap_settings(self.job.config)

    @property
    def seconds(self) -> float:
        """When in the video the frame is."""
        return float(self.job.config["start"] / self.asset.fps) if self.asset and self.asset.fps else 0.0


class Score(models.Model):
    """How good a conversion is, by number. The whole report is a file in the job's folder."""

    conversion = models.OneToOneField(Conversion, models.CASCADE, related_name="score")
    job = models.OneToOneField(Job, models.CASCADE, related_name="score")
    created_at = models.DateTimeField(db_default=Now())

    TOMBSTONE = "score-row"
    """What the tombstone of a score is called that a withdrawal took; that of its job is called ``score``."""

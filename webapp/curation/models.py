"""Crops, what each reviewer said of each, and what follows from it.

A verdict belongs to a crop *and a person*: nobody overwrites anybody. A crop's state is derived from its verdicts by
the set's rule and kept in its row, so that a page of 5,000 is one indexed query.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from faceengine.jobs.models import Job
from faceengine.jobs.names import key_of
from faceengine.thresholds import MOST_OUTSIDE
from webapp.projects.models import Person


class Rule(models.TextChoices):
    """How verdicts of several people make a crop's state."""

    FIRST = "first", _("one verdict is enough; contradicting verdicts make a crop disputed")
    MAJORITY = "majority", _("the majority of several verdicts; a tie makes a crop disputed")
    ANY_REJECT = "any_reject", _("one reject verdict is enough to reject a crop")


class FaceSet(models.Model):
    """All crops of one person. The engine's set in ``folder`` holds the pictures; rows here hold what is judged."""

    person = models.OneToOneField(Person, models.CASCADE, related_name="face_set")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    """The extraction that last added to it."""
    folder = models.CharField(max_length=200, blank=True)
    """The name, in the storage, of the engine's face set; empty until an extraction has ended."""
    size = models.PositiveSmallIntegerField(default=256)
    """Side of a crop in pixels."""
    summary = models.JSONField(default=dict)
    """The engine's ``faces.json``."""
    rule = models.CharField(max_length=10, choices=Rule.choices, default=Rule.FIRST)
    needed = models.PositiveSmallIntegerField(default=2)
    """Verdicts that a majority is made of."""
    revision = models.PositiveBigIntegerField(default=0)
    """Counts changes; a crop carries the number of its last one, so that a page can ask for what is new to it."""
    to_compare = models.BooleanField(default=False)
    """Whether a consent with a new recording was accepted since its crops were compared with the person's face."""
    created_at = models.DateTimeField(db_default=Now())

    TOMBSTONE = "faces"
    """What the tombstone of a set that a withdrawal took is called."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=models.Q(to_compare=True), name="face_sets_to_compare")
        ]

    def key(self, name: str) -> str:
        """What the storage calls the file that is ``name`` within the engine's set."""
        if self.job is not None and self.job.folder == self.folder:
            return key_of(self.job, name)
        return str(PurePosixPath(self.folder, name))


class Value(models.TextChoices):
    """What a person says of a crop."""

    KEEP = "keep", _("keep")
    REJECT = "reject", _("reject")


class CropState(models.TextChoices):
    """What a crop is by who it shows, its verdicts and the set's rule. Training takes :data:`USABLE`."""

    NEW = "new", _("not reviewed")
    KEPT = "kept", _("kept")
    REJECTED = "rejected", _("rejected")
    DISPUTED = "disputed", _("disputed")
    UNSURE = "unsure", _("may be another person")
    """Not taken until somebody keeps it."""
    OTHER = "other", _("another person")
    """Set aside, whatever anybody says of it."""


USABLE = (CropState.NEW, CropState.KEPT)
"""States of the crops that training takes, unless they lie at the edge of the frame."""
AT_EDGE = models.Q(outside__gt=MOST_OUTSIDE)
"""The condition of crops of which too much lies outside the frame."""


class Identity(models.TextChoices):
    """What the embedding network says: is it the set's person?"""

    SAME = "same", _("the person")
    UNSURE = "unsure", _("may be another person")
    DIFFERENT = "different", _("another person")


class Crop(models.Model):
    """One aligned face: what it is measured by, and where it stands."""

    face_set = models.ForeignKey(FaceSet, models.CASCADE, related_name="crops")
    number = models.PositiveIntegerField()
    """Its id in the engine's set, which names its pictures."""
    input = models.CharField(max_length=400)
    """The name, in the storage, of the video or photo."""
    frame = models.PositiveIntegerField()
    time = models.FloatField()
    """Seconds from the start of its video."""
    face = models.PositiveSmallIntegerField()
    box = models.JSONField()
    """x0, y0, x1, y1 in pixels of the frame."""
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    near_duplicates = models.PositiveIntegerField()
    """Number of the first crop of its group of near duplicates; its own if it is alone."""
    score = models.FloatField()
    sharpness = models.FloatField()
    brightness = models.FloatField()
    face_size = models.FloatField()
    outside = models.FloatField(default=0)
    """Share of the face that lies outside the frame, 0 to 1. Training leaves out what is above
    :data:`faceengine.thresholds.MOST_OUTSIDE`."""
    yaw = models.FloatField()
    pitch = models.FloatField()
    roll = models.FloatField()
    distance = models.FloatField()
    """Of its embedding to that of the set's most typical face."""
    identity = models.CharField(max_length=9, choices=Identity.choices, blank=True)
    """Empty: not known."""
    suspicion = models.FloatField(default=0)
    """0 to 1: how unusual it is for its set in its worst measure."""
    state = models.CharField(max_length=8, choices=CropState.choices, default=CropState.NEW)
    settled = models.CharField(max_length=6, choices=Value.choices, blank=True)
    """What somebody who may settle disputes decided; it goes before the verdicts."""
    revision = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["face_set", "number"], name="one_crop_of_a_number")]
        indexes: ClassVar = [
            models.Index(fields=["face_set", "state", "number"], name="crops_by_state"),
            models.Index(fields=["face_set", "revision"], name="crops_changed"),
            models.Index(fields=["face_set", "suspicion", "number"], name="crops_suspicious"),
        ]


class Verdict(models.Model):
    """What one person says of one crop. It is set, never toggled."""

    crop = models.ForeignKey(Crop, models.CASCADE, related_name="verdicts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    value = models.CharField(max_length=6, choices=Value.choices)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["crop", "user"], name="one_verdict_a_person")]


class Batch(models.Model):
    """One decision of one person on one or many crops, with what that person had said before: undo is exact."""

    face_set = models.ForeignKey(FaceSet, models.CASCADE, related_name="batches")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField(db_default=Now())
    value = models.CharField(max_length=6, choices=Value.choices, blank=True)
    """Empty: verdicts were cleared, or differ (``former`` and the verdicts tell)."""
    former = models.JSONField()
    """Crop id → the person's verdict before, empty for none."""
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["face_set", "user", "-id"], name="batches_newest")]


class Slice(models.Model):
    """Crops that one person is looking at, so that others are given different ones. It ends by itself."""

    face_set = models.ForeignKey(FaceSet, models.CASCADE, related_name="slices")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    numbers = models.JSONField()
    lease_until = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["face_set", "user"], name="one_slice_a_person")]

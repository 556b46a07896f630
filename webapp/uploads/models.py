"""Files on their way, and what has become of them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from faceengine.jobs.models import Job
from webapp.names import NameField
from webapp.projects.models import Person

NAME_LENGTH = 200


class AssetState(models.TextChoices):
    """Where an asset stands. Only what is ready is used for anything."""

    CHECKING = "checking", _("being checked")
    READY = "ready", _("ready")
    REFUSED = "refused", _("rejected")


class AssetKind(models.TextChoices):
    """What an asset turned out to be."""

    VIDEO = "video", _("video")
    PHOTO = "photo", _("photo")


class Asset(models.Model):
    """A video or photo of one person. Its files, all made by the studio, lie in the folder of its job."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="assets")
    name = NameField(_("name"), max_length=NAME_LENGTH)
    """What the file was called where it came from: a text to show, never a path."""
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    job = models.OneToOneField(Job, models.PROTECT, null=True, related_name="asset")
    """The intake that made its files."""
    arrival = models.CharField(max_length=200, blank=True)
    """Name, in the storage, of the file as it came; empty once that is gone."""
    size = models.PositiveBigIntegerField()
    """Bytes of the file as it came."""
    stored = models.PositiveBigIntegerField()
    """Bytes that it takes up now."""
    sha256 = models.CharField(max_length=64, blank=True)
    """Of the file as it came."""
    state = models.CharField(_("state"), max_length=8, choices=AssetState.choices, default=AssetState.CHECKING)
    code = models.CharField(max_length=60, blank=True)
    """Why it was refused; ``words.py`` has the sentences."""
    kind = models.CharField(max_length=5, choices=AssetKind.choices, blank=True)
    file = models.CharField(max_length=200, blank=True)
    """Name of the video or picture in the storage, as configs of jobs want it."""
    poster = models.CharField(max_length=200, blank=True)
    filmstrip = models.CharField(max_length=200, blank=True)
    """Ten frames side by side; empty for a photo."""
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    frames = models.PositiveIntegerField(default=0)
    fps = models.FloatField(default=0)
    duration = models.FloatField(default=0)
    """Seconds; 0 for a photo."""
    has_sound = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["person", "-created_at", "id"], name="assets_newest")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "sha256"], condition=models.Q(state=AssetState.READY), name="one_asset_of_a_file"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Upload(models.Model):
    """A file on its way. What has arrived lies on this machine's disk, in a folder of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, models.CASCADE, related_name="uploads")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = NameField(max_length=NAME_LENGTH)
    size = models.PositiveBigIntegerField()
    """Bytes that are to come."""
    offset = models.PositiveBigIntegerField(default=0)
    """Bytes that have arrived; ``services.standing`` asks the disk as well."""
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    asset = models.OneToOneField(Asset, models.CASCADE, null=True, related_name="upload")
    """What it has become, once it is whole."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="uploads_expiry")]

"""Who agreed to what, until when; and the pairs of consents that jobs name.

The database itself holds the rules that matter most, see ``docs/consent.md``: constraints here, triggers in migrations.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webapp.names import NameField
from webapp.projects.models import Person, Project, Side

VALID_FOR = timedelta(days=365)
"""From a consent's acceptance to its expiry."""


class Way(models.TextChoices):
    """How somebody agreed."""

    WEBCAM = "webcam", _("read aloud on camera")
    UPLOAD = "upload", _("uploaded file")
    PDF = "pdf", _("signed document")
    SYNTHETIC = "synthetic", _("none: computer-generated person")


class Purpose(models.TextChoices):
    """What somebody agrees to."""

    TRAIN = "train", _("Train a face model")
    SWAP = "swap", _("Swap faces in videos of this project")
    DELIVER = "deliver", _("Download models and results, and share them outside the studio")


class Standing(models.TextChoices):
    """Where a consent stands. Only what is live allows anything."""

    ASKED = "asked", _("requested")
    WAITING = "waiting", _("waiting for review")
    LIVE = "live", _("active")
    REFUSED = "refused", _("refused")
    EXPIRED = "expired", _("expired")
    WITHDRAWN = "withdrawn", _("withdrawn")


def every_purpose() -> list[str]:
    """All purposes: what is asked for unless somebody leaves one out."""
    return list(Purpose.values)


def alive(prefix: str = "") -> Q:
    """The condition of a consent that is live by the database's clock; ``prefix``: the way to it, ``consent_a__``."""
    conditions = {"accepted": True, "withdrawn_at": None, "expires_at__gt": Now()}
    return Q(**{f"{prefix}{name}": value for name, value in conditions.items()})


class Consent(models.Model):
    """One person's agreement: asked for by one member, given by the person, reviewed by another member."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="consents")
    project_number = models.BigIntegerField()
    """The project's key, kept when the project is gone."""
    side = models.CharField(max_length=1, choices=Side.choices)
    name = NameField(_("name"), max_length=100, blank=True)
    """As the person signed; empty again once they have withdrawn."""
    email = models.EmailField(_("e-mail address"), blank=True)
    way = models.CharField(max_length=10, choices=Way.choices, blank=True)
    """Empty until it is given."""
    purposes = models.JSONField(default=every_purpose)
    """Values of :class:`Purpose`."""
    statement_version = models.CharField(max_length=40, blank=True)
    statement_sha256 = models.CharField(max_length=64, blank=True)
    """Of the very text that the person saw, UTF-8."""
    statement_text = models.BinaryField(default=b"")
    """That text, encrypted under the person's key since it may name them; empty once they have withdrawn."""
    language = models.CharField(max_length=10, blank=True)

    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    """Whoever had the person's link, or their file, last: asked, made another link, or handed in. They can't review.
    ``None``: the studio itself, for people who don't exist."""
    asked_at = models.DateTimeField(db_default=Now())
    given_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    accepted = models.BooleanField(null=True)
    refused_why = models.CharField(max_length=300, blank=True)
    expires_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdraw_hash = models.CharField(max_length=64, blank=True, db_index=True)
    """SHA-256 of the token in the person's own link for withdrawing; empty while they have none."""
    recovery_hash = models.CharField(max_length=64, blank=True, db_index=True)
    """SHA-256 of the code by which the person renews that link."""
    passed_on_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    """The member through whose hands the person's own link went: it ends with their membership. ``None``: the studio
    gave it to the person alone, on their page or by mail."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["person", "-asked_at"], name="consents_newest")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | Q(asked_by=None) | ~Q(reviewed_by=F("asked_by")),
                name="consent_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(accepted=None) | Q(given_at__isnull=False, reviewed_at__isnull=False),
                name="consent_given_before_reviewed",
            ),
            models.CheckConstraint(
                condition=~Q(accepted=True) | Q(expires_at__isnull=False),
                name="consent_accepted_expires",
            ),
            models.CheckConstraint(
                condition=~Q(accepted=True) | Q(reviewed_by__isnull=False) | Q(way=Way.SYNTHETIC),
                name="consent_accepted_by_somebody",
            ),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="consent_of_a_side"),
            models.UniqueConstraint(
                fields=["person"], condition=Q(accepted=None, withdrawn_at=None), name="one_open_consent_a_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{Side(self.side).label}: {self.get_standing_display()}"

    @property
    def standing(self) -> Standing:
        """Where it stands, by this machine's clock. The gate itself asks the database's."""
        if self.withdrawn_at is not None:
            return Standing.WITHDRAWN
        if self.accepted is None:
            return Standing.ASKED if self.given_at is None else Standing.WAITING
        if not self.accepted:
            return Standing.REFUSED
        expired = self.expires_at is None or self.expires_at <= timezone.now()
        return Standing.EXPIRED if expired else Standing.LIVE

    def get_standing_display(self) -> str:
        """Where it stands, in words."""
        return str(self.standing.label)


class Mandate(models.Model):
    """The consents of a project's two people together: what every job of the project names."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="mandates")
    consent_a = models.ForeignKey(Consent, models.PROTECT, related_name="+")
    consent_b = models.ForeignKey(Consent, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "consent_a", "consent_b"], name="one_mandate_of_two_consents"),
            models.CheckConstraint(condition=~Q(consent_a=F("consent_b")), name="mandate_of_two_people"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class GatedKind(models.Model):
    """A kind of job that the database lets in with a mandate only; ``triggers.py`` writes them down."""

    name = models.CharField(max_length=40, primary_key=True)

    def __str__(self) -> str:
        return self.name


class Tombstone(models.Model):
    """One thing that a withdrawal took away: what it was and when it went, and nothing of whom it showed."""

    consent = models.ForeignKey(Consent, models.PROTECT, related_name="tombstones")
    project_number = models.BigIntegerField()
    side = models.CharField(max_length=1, choices=Side.choices)
    kind = models.CharField(max_length=40)
    """``asset``, ``faces``, ``run`` …, or a job's kind."""
    thing = models.CharField(max_length=40)
    """Its key."""
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    """Of a file as it came, or of a result."""
    made_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(db_default=Now())
    folder = models.CharField(max_length=200, blank=True)
    """The name, in the storage, of the folder that goes with it."""
    file = models.CharField(max_length=300, blank=True)
    """The name, in the storage, of a result, whose hash is taken before it goes."""
    at_work = models.BooleanField(default=False)
    """Whether something may still have written to the folder."""
    settled_at = models.DateTimeField(null=True)
    """When the files were gone for good."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(settled_at=None), name="tombstones_open"),
            models.Index(fields=["folder"], name="tombstones_folder"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.thing}"


class Leftover(models.Model):
    """A folder of the storage whose rows are gone; ``leftovers.py`` removes it, and then this row."""

    folder = models.CharField(max_length=200, db_index=True)
    at_work = models.BooleanField(default=False)
    """Whether something may still write to it."""
    left_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.folder


class LinkKind(models.TextChoices):
    """What a link is for."""

    AGREE = "agree", _("consent link")
    OWN = "own", _("personal link")


class ConsentLink(models.Model):
    """A link by which somebody without an account does something, once. Only the link's hash is kept."""

    consent = models.ForeignKey(Consent, models.CASCADE, related_name="links")
    token_hash = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=5, choices=LinkKind.choices, default=LinkKind.AGREE)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_with = models.CharField(max_length=64, blank=True)
    """See ``webapp.accounts.makers``: the link ends with whoever made it."""
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    phrase = models.CharField(max_length=100, blank=True)
    """What the person has been asked to read aloud last; used up with the link."""
    phrase_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.consent_id}"


class PersonKey(models.Model):
    """Where the key lies that a person's evidence is encrypted with: in the folder of ``keys.py``, never here."""

    person = models.OneToOneField(Person, models.CASCADE, related_name="key")
    file = models.CharField(max_length=40, blank=True, db_index=True)
    """Its name there; empty once the file is destroyed."""
    destroyed_at = models.DateTimeField(null=True)
    """Set by a withdrawal: from then on it is not used, whether or not its file is gone yet."""

    def __str__(self) -> str:
        return f"{self.person_id}"


class Evidence(models.Model):
    """What shows that a person agreed. Its file is encrypted; the row stays when it is destroyed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="evidence")
    created_at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=5)
    """``video`` or ``pdf``."""
    file = models.CharField(max_length=200, blank=True)
    """Name of the encrypted file in the storage; empty once it is destroyed."""
    size = models.PositiveBigIntegerField()
    """Bytes before encryption."""
    sha256 = models.CharField(max_length=64, db_index=True)
    """Of the file as it came."""
    kept_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    """Of what was made of it, before encryption: so members may have downloaded it."""
    phrase = models.CharField(max_length=100, blank=True)
    """What the person was asked to read aloud."""
    facts = models.JSONField(default=dict)
    """What was found out about it: a video's length, a document's signatures."""
    fingerprint = models.JSONField(default=dict)
    """By which the same recording is known again however it is encoded: ``faceengine.evidence.fingerprint``. After a
    withdrawal that of its sound stays, and no other."""
    likeness = models.BinaryField(default=b"")
    """Encrypted: how the face in a video looks to the network that tells people apart. Footage is compared with it."""
    destroyed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

"""People who sign in, and the teams they work in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webapp.names import NameField


class UserManager(BaseUserManager["User"]):
    """Makes users whose addresses are compared without regard to case."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        proof = {"address_proven_at": timezone.now(), "proven_by": Proof.STAFF}
        return self.create_user(email, password, is_staff=True, is_superuser=True, **proof | fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class Role(models.TextChoices):
    """What a member may do in a team; ``webapp.accounts.access`` says what each role allows."""

    OWNER = "owner", _("owner")
    EDITOR = "editor", _("editor")
    REVIEWER = "reviewer", _("reviewer")
    VIEWER = "viewer", _("viewer")


class Proof(models.TextChoices):
    """How it was proven that an address belongs to the person who has the account."""

    MAIL = "mail", _("by a link sent to the address")
    STAFF = "staff", _("by staff of this studio")


class User(AbstractUser):
    """A person with an account. ``is_staff``: runs this installation and sees every job."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)
    address_proven_at = models.DateTimeField(null=True, blank=True)
    """Set by ``proofs.py`` only; ``None``: anybody may have made the account under this address."""
    proven_by = models.CharField(max_length=5, choices=Proof.choices, blank=True)
    vouched_by = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="+"
    )
    """The member of staff who vouched in the browser, kept when their account is gone; ``None`` for the command."""

    acts_as: Role | None = None
    """The role that somebody acts in at most, whatever theirs is: set for a request that comes with a token."""

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]


class Team(models.Model):
    """People who work on the same projects. Nobody outside sees anything of them."""

    name = NameField(_("name"), max_length=100)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person in a team, in one role."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    joined_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "user"], name="one_membership_a_team")]


class Introduction(models.Model):
    """One account brought another into the studio. Kept when memberships, teams and even the accounts are gone.

    ``independence.py`` needs these rows to tell a second person from a second account of the same person.
    """

    inviter = models.ForeignKey(User, models.DO_NOTHING, db_constraint=False, related_name="+")
    invitee = models.ForeignKey(User, models.DO_NOTHING, db_constraint=False, related_name="+")
    team_number = models.BigIntegerField()
    """The key of the team that the first invitation was for."""
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["inviter", "invitee"], name="one_introduction_a_pair")]

    def __str__(self) -> str:
        return f"{self.inviter_id} → {self.invitee_id}"


class Invitation(models.Model):
    """A link by which the person with the invited address becomes a member, once. Only the link's hash is kept."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    made_with = models.CharField(max_length=64, blank=True)
    """See ``makers.py``: the link ends with whoever invited."""
    mailed_at = models.DateTimeField(null=True)
    """When the studio sent the link to the address. ``None``: it was shown to whoever invited."""
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)


class ResetLink(models.Model):
    """A link by which somebody who can't sign in sets a new password, once; staff make it. Only its hash is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="reset_links")
    token_hash = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    """``None`` for ``manage.py reset_link``."""
    made_with = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user_id}"

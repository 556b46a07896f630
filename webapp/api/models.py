"""Tokens by which scripts act for a person."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webapp.names import NameField


class Scope(models.TextChoices):
    """What a token may do at most; ``tokens.ACTS_AS`` says in which role. None may manage a team, or an account."""

    READ = "read", _("read: view and download")
    REVIEW = "review", _("review: also review faces")
    WRITE = "write", _("write: also upload, train, convert and delete")


class ApiToken(models.Model):
    """A token of a person, who may do by it what they and its scope may do. Only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = NameField(_("name"), max_length=100)
    token_hash = models.CharField(max_length=64, unique=True)
    scope = models.CharField(_("scope"), max_length=6, choices=Scope.choices)
    made_with = models.CharField(max_length=64)
    """See ``webapp.accounts.makers``: the token ends with its person's password."""
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(_("end"))
    used_at = models.DateTimeField(null=True)
    """To the minute."""

    def __str__(self) -> str:
        return self.name

    @property
    def has_expired(self) -> bool:
        """Whether it is past its end, by this machine's clock."""
        return self.expires_at <= timezone.now()

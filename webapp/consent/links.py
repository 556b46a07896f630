"""Links for people without an account: one to agree by, once; one to withdraw by, always."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from webapp.accounts.models import User
from webapp.consent.errors import ConsentStepError
from webapp.consent.models import Consent, ConsentLink
from webapp.consent.phrases import phrase

LINK_DAYS = 7
PHRASE_MINUTES = 15
"""So long after it was shown a phrase may be sent back."""


def make_link(consent: Consent, by: User) -> str:
    """The token of a new link to agree by, which can't be had again; those made before end."""
    take_back(consent)
    token = secrets.token_urlsafe(32)
    ends = Now() + timedelta(days=LINK_DAYS)
    ConsentLink.objects.create(consent=consent, token_hash=_hash(token), made_by=by, expires_at=ends)
    return token


def take_back(consent: Consent) -> None:
    """End the links that were sent and not used."""
    ConsentLink.objects.filter(consent=consent, used_at=None).update(expires_at=Now())


def open_link(token: str) -> ConsentLink:
    """What is behind a link. Raises :class:`ConsentStepError` ``consent.link_unknown``, ``.link_used``,
    ``.link_expired``, and ``.closed`` if the consent was given or withdrawn some other way."""
    beside = "consent__person__project__team"
    link = ConsentLink.objects.select_related(beside).filter(token_hash=_hash(token)).first()
    if link is None or link.consent.person is None:
        raise ConsentStepError("consent.link_unknown")
    if link.used_at is not None:
        raise ConsentStepError("consent.link_used")
    if not _open().filter(pk=link.pk).exists():
        raise ConsentStepError("consent.link_expired")
    if link.consent.given_at is not None or link.consent.withdrawn_at is not None:
        raise ConsentStepError("consent.closed")
    return link


def use_up(link: ConsentLink) -> None:
    """Of two who answer by the same link at once, one is too late: :class:`ConsentStepError` ``consent.link_used``."""
    if not _open().filter(pk=link.pk).update(used_at=Now()):
        raise ConsentStepError("consent.link_used")


def _open() -> QuerySet[ConsentLink]:
    """Those not used and not ended, by the database's clock: it is the same for all machines."""
    return ConsentLink.objects.filter(used_at=None, expires_at__gt=Now())


def challenge(link: ConsentLink, language: str) -> str:
    """A new phrase to read aloud, for a quarter of an hour; the one before doesn't count any more."""
    link.phrase = phrase(language)
    link.phrase_until = timezone.now() + timedelta(minutes=PHRASE_MINUTES)
    link.save(update_fields=["phrase", "phrase_until"])
    return link.phrase


def check_phrase(link: ConsentLink, said: str) -> None:
    """Raises :class:`ConsentStepError` ``consent.phrase`` for a phrase that is not the link's last one, or is late."""
    if not link.phrase or said != link.phrase or link.phrase_until is None or link.phrase_until < timezone.now():
        raise ConsentStepError("consent.phrase")


def withdrawal_token() -> tuple[str, str]:
    """The token of a person's own link, and its hash for :attr:`Consent.withdraw_hash`."""
    token = secrets.token_urlsafe(32)
    return token, _hash(token)


def consent_behind(token: str) -> Consent:
    """The consent that a person's own link is about. Raises :class:`ConsentStepError` ``consent.link_unknown``."""
    found = Consent.objects.select_related("person__project__team").filter(withdraw_hash=_hash(token)).first()
    if found is None:
        raise ConsentStepError("consent.link_unknown")
    return found


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

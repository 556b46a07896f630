"""Links for people without an account: one to agree by, once; one of their own to withdraw by, always.

A link to agree by ends with the member who made it. How people get their own link, and another one, is in
``own_links.py``.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from webapp.accounts.makers import stamp_of
from webapp.accounts.models import User
from webapp.consent.errors import ConsentStepError
from webapp.consent.models import Consent, ConsentLink, LinkKind
from webapp.consent.phrases import phrase
from webapp.projects.access import Verb, backs, may

LINK_DAYS = 7
PHRASE_MINUTES = 15
"""So long after it was shown a phrase may be sent back."""


def make_link(consent: Consent, by: User, kind: LinkKind = LinkKind.AGREE) -> str:
    """The token of a new link, which can't be had again; those made before end."""
    take_back(consent)
    token = secrets.token_urlsafe(32)
    ConsentLink.objects.create(
        consent=consent,
        token_hash=hash_of(token),
        kind=kind,
        made_by=by,
        made_with=stamp_of(by),
        expires_at=Now() + timedelta(days=LINK_DAYS),
    )
    return token


def take_back(consent: Consent) -> None:
    """End the links that were sent and not used."""
    ConsentLink.objects.filter(consent=consent, used_at=None).update(expires_at=Now())


def open_link(token: str) -> ConsentLink:
    """What is behind a link to agree by. Raises as :func:`find`, and ``consent.closed`` if the consent was given or
    withdrawn some other way."""
    link = find(token, LinkKind.AGREE)
    if link.consent.given_at is not None or link.consent.withdrawn_at is not None:
        raise ConsentStepError("consent.closed")
    return link


def find(token: str, kind: LinkKind) -> ConsentLink:
    """The link of that kind. Raises :class:`ConsentStepError` ``consent.link_unknown``, ``.link_used``,
    ``.link_expired``, and ``.link_ended`` if its maker may not make it any more."""
    beside = ("consent__person__project__team", "made_by")
    link = ConsentLink.objects.select_related(*beside).filter(token_hash=hash_of(token), kind=kind).first()
    if link is None or link.consent.person is None:
        raise ConsentStepError("consent.link_unknown")
    if link.used_at is not None:
        raise ConsentStepError("consent.link_used")
    if not _open().filter(pk=link.pk).exists():
        raise ConsentStepError("consent.link_expired")
    _check_maker(link)
    return link


def use_up(link: ConsentLink) -> None:
    """Of two who answer by the same link at once, one is too late: :class:`ConsentStepError` ``consent.link_used``;
    ``.link_ended`` if its maker has lost the right to make it since the page was opened."""
    if link.made_by is not None:
        link.made_by.refresh_from_db()
    _check_maker(link)
    if not _open().filter(pk=link.pk).update(used_at=Now()):
        raise ConsentStepError("consent.link_used")


def _check_maker(link: ConsentLink) -> None:
    assert link.consent.person is not None
    team = link.consent.person.project.team_id
    if not backs(link.made_by, link.made_with, Verb.EDIT, team):
        raise ConsentStepError("consent.link_ended")


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
    return token, hash_of(token)


def consent_behind(token: str) -> Consent:
    """The consent that a person's own link is about.

    Raises :class:`ConsentStepError` ``consent.link_unknown``; ``.own_ended`` if a member who is gone passed it on.
    """
    beside = ("person__project__team", "passed_on_by")
    found = Consent.objects.select_related(*beside).filter(withdraw_hash=hash_of(token)).first()
    if found is None:
        raise ConsentStepError("consent.link_unknown")
    check_passed_on(found)
    return found


def check_passed_on(consent: Consent) -> None:
    """Raises :class:`ConsentStepError` ``consent.own_ended`` if the member through whose hands the person's own link
    went may not do so any more: they may have kept it. Their password does not matter, the link is not theirs."""
    if consent.passed_on_by is None:
        return
    if consent.person is None or not may(consent.passed_on_by, Verb.EDIT, consent.person.project.team_id):
        raise ConsentStepError("consent.own_ended")


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()

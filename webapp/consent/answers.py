"""How a person's answer becomes a consent: by their own link, or handed in by a member for somebody elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from webapp.accounts.models import User
from webapp.consent import evidence, links, services
from webapp.consent.errors import ConsentStepError
from webapp.consent.models import Consent, ConsentLink, Evidence, Purpose, Way
from webapp.consent.own_links import pass_on
from webapp.consent.statements import Statement, sealed, statement
from webapp.consent.uses import kept as kept_uses
from webapp.names import validate_name
from webapp.projects.services import record


@dataclass(frozen=True)
class Answer:
    """What somebody says, and shows."""

    name: str
    purposes: list[str]
    """Of those that were asked for, what they agree to."""
    language: str
    """Of the statement that they saw."""
    way: str
    """How they want to show it: ``pdf`` must be a signed document. What is recorded is told from what came."""
    file: UploadedFile[Any] | None
    phrase: str = ""
    """As it was shown by the page that recorded them."""
    recorded: bool = False
    """Whether the studio's own page made the recording, and did not just take a file."""
    seen: str = ""
    """SHA-256 of the statement that was on their page; empty for one on paper."""


def agree(link: ConsentLink, answer: Answer) -> str:
    """The person agrees; the token of the link by which they can withdraw, which can't be had again.

    Raises :class:`ConsentStepError`: ``consent.no_name``, ``.no_purpose``, ``.no_file``, ``.changed``, ``.phrase``,
    ``.link_used``, and those of :func:`evidence.keep`. The link can be used again then.
    """
    _check(link.consent, answer)
    if answer.way == Way.WEBCAM:
        links.check_phrase(link, answer.phrase)
    assert answer.file is not None
    kept = evidence.keep(link.consent, answer.file, answer.way, phrase=answer.phrase)
    try:
        with transaction.atomic():
            links.use_up(link)
            return _give(link.consent, answer, _way(kept, phrase_read=answer.recorded and answer.way == Way.WEBCAM))
    except BaseException:
        evidence.forget(kept)
        raise


def hand_in(consent: Consent, by: User, answer: Answer) -> str:
    """A member sends in what the person gave them on another way; the token of a link by which the person gets their
    own, see :func:`own_links.pass_on`. Raises as :func:`agree`; links that are out end.

    From then on it is that member who can't review it. It was not read before the studio's camera, whatever they say.
    """
    if answer.way == Way.WEBCAM:
        raise ConsentStepError("consent.not_recorded")
    _check(consent, answer)
    assert answer.file is not None
    kept = evidence.keep(consent, answer.file, answer.way)
    try:
        with transaction.atomic():
            links.take_back(consent)
            services.take_over(consent, by)
            _give(consent, answer, _way(kept))
            assert consent.person is not None
            project = consent.person.project
            record(by, "consent.handed_in", project.team, project, side=consent.side, consent=str(consent.pk))
            return pass_on(consent, by)
    except BaseException:
        evidence.forget(kept)
        raise


def _way(kept: Evidence, *, phrase_read: bool = False) -> Way:
    """Return how they agreed, by what was kept and by what the studio itself saw to; nobody says so."""
    if kept.kind == "video":
        return Way.WEBCAM if phrase_read and kept.phrase else Way.UPLOAD
    return Way.PDF if any(one["intact"] for one in kept.facts.get("signatures", ())) else Way.UPLOAD


def _check(consent: Consent, answer: Answer) -> None:
    if not answer.name.strip():
        raise ConsentStepError("consent.no_name")
    try:
        validate_name(answer.name.strip())
    except ValidationError:
        raise ConsentStepError("name.unseen") from None
    if not answer.purposes or not set(answer.purposes) <= set(consent.purposes):
        raise ConsentStepError("consent.no_purpose")
    if answer.file is None:
        raise ConsentStepError("consent.no_file")
    if answer.way not in (Way.WEBCAM, Way.UPLOAD, Way.PDF):
        raise ConsentStepError("consent.evidence_kind")
    if answer.seen and answer.seen != _statement(consent, answer).sha256:
        raise ConsentStepError("consent.changed")


def _statement(consent: Consent, answer: Answer) -> Statement:
    assert consent.person is not None
    return statement(consent.person.project, answer.language)


def _give(consent: Consent, answer: Answer, way: Way) -> str:
    shown = _statement(consent, answer)
    token, digest = links.withdrawal_token()
    services.give(
        consent,
        way,
        name=answer.name.strip()[:100],
        purposes=[purpose for purpose in Purpose.values if purpose in (*answer.purposes, *kept_uses(consent))],
        statement_version=shown.version,
        statement_sha256=shown.sha256,
        statement_text=sealed(consent, shown),
        language=shown.language,
        withdraw_hash=digest,
    )
    return token

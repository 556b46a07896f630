"""How a person's answer becomes a consent: by their own link, or handed in by a member for somebody elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from webapp.accounts.models import User
from webapp.consent import evidence, links, services
from webapp.consent.errors import ConsentStepError
from webapp.consent.models import Consent, ConsentLink, Evidence, Purpose, Way
from webapp.consent.statements import statement
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
    file: UploadedFile[Any] | None
    phrase: str = ""


def agree(link: ConsentLink, answer: Answer) -> str:
    """The person agrees; the token of the link by which they can withdraw, which can't be had again.

    Raises :class:`ConsentStepError`: ``consent.no_name``, ``.no_purpose``, ``.no_file``, ``.phrase``, ``.link_used``,
    and those of :func:`evidence.keep`. The link can be used again then.
    """
    _check(link.consent, answer)
    if answer.way == Way.WEBCAM:
        links.check_phrase(link, answer.phrase)
    assert answer.file is not None
    kept = evidence.keep(link.consent, answer.file, answer.way, phrase=answer.phrase)
    try:
        with transaction.atomic():
            links.use_up(link)
            return _give(link.consent, answer)
    except ConsentStepError:
        _forget(kept)
        raise


def hand_in(consent: Consent, by: User, answer: Answer) -> str:
    """A member sends in what the person gave them on another way. As :func:`agree`; links that are out end."""
    _check(consent, answer)
    assert answer.file is not None
    kept = evidence.keep(consent, answer.file, answer.way)
    try:
        with transaction.atomic():
            links.take_back(consent)
            token = _give(consent, answer)
            assert consent.person is not None
            project = consent.person.project
            record(by, "consent.handed_in", project.team, project, side=consent.side, consent=str(consent.pk))
            return token
    except ConsentStepError:
        _forget(kept)
        raise


def _check(consent: Consent, answer: Answer) -> None:
    if not answer.name.strip():
        raise ConsentStepError("consent.no_name")
    if not answer.purposes or not set(answer.purposes) <= set(consent.purposes):
        raise ConsentStepError("consent.no_purpose")
    if answer.file is None:
        raise ConsentStepError("consent.no_file")
    if answer.way not in (Way.WEBCAM, Way.UPLOAD, Way.PDF):
        raise ConsentStepError("consent.evidence_kind")


def _give(consent: Consent, answer: Answer) -> str:
    assert consent.person is not None
    shown = statement(consent.person.project, answer.language)
    token, digest = links.withdrawal_token()
    services.give(
        consent,
        answer.way,
        name=answer.name.strip()[:100],
        purposes=[purpose for purpose in Purpose.values if purpose in answer.purposes],
        statement_version=shown.version,
        statement_sha256=shown.sha256,
        language=shown.language,
        withdraw_hash=digest,
    )
    return token


def _forget(kept: Evidence) -> None:
    default_storage.delete(kept.file)
    kept.delete()

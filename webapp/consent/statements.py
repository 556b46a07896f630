"""The consent statement, word for word.

Each version has a text file per language, and its words for the uses in ``texts/uses.json``. A published version is
never changed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from webapp.consent import vault
from webapp.consent.models import Consent
from webapp.names import plain_name
from webapp.projects.models import Project

log = logging.getLogger(__name__)

VERSION = "2026-12"
"""The current version. A changed text gets a new version: consents to older versions stay valid, in their words."""
LANGUAGES = ("en", "zh-hans")
_FOLDER = Path(__file__).parent / "texts"
_NAME = re.compile(r"\{(team|project)\}")
_QUOTES = str.maketrans(dict.fromkeys('"“”„«»「」『』', "'"))
"""A name stands in quotes, which it can't end by itself."""


@dataclass(frozen=True)
class Part:
    """A piece of a paragraph: the statement's own words, or a name that the team gave."""

    text: str
    is_name: bool = False


@dataclass(frozen=True)
class Statement:
    """A text as one person saw it."""

    version: str
    language: str
    text: str
    paragraphs: tuple[tuple[Part, ...], ...]
    """The paragraphs of the version's file. A name never begins another one."""
    uses: dict[str, str]
    """The words for each use, by purpose: what the person ticks below the text."""

    @property
    def sha256(self) -> str:
        """Of the text, UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def statement(project: Project, language: str) -> Statement:
    """The present statement about ``project`` in ``language``, or in English where there is no such text."""
    language = language if language in LANGUAGES else "en"
    written = (_FOLDER / f"{VERSION}.{language}.txt").read_text(encoding="utf-8")
    names = {"team": _quotable(project.team.name), "project": _quotable(project.name)}
    text = _NAME.sub(lambda found: names[found[1]], written)
    paragraphs = tuple(_parts(line, names) for line in written.splitlines() if line)
    return Statement(VERSION, language, text, paragraphs, uses_in(VERSION, language))


def uses_in(version: str, language: str) -> dict[str, str]:
    """Return the words for each use in a version of the statement, in English where there is no such language.

    A consent without a statement (``version`` unknown or empty) gets the words of the current version.
    """
    labels = _all_uses()
    found = labels.get(version) or labels[VERSION]
    return found.get(language) or found["en"]


@cache
def _all_uses() -> dict[str, dict[str, dict[str, str]]]:
    labels: dict[str, dict[str, dict[str, str]]] = json.loads((_FOLDER / "uses.json").read_text(encoding="utf-8"))
    return labels


def _parts(line: str, names: dict[str, str]) -> tuple[Part, ...]:
    pieces = _NAME.split(line)  # words, name of a name, words …
    parts = [Part(names[piece], is_name=True) if place % 2 else Part(piece) for place, piece in enumerate(pieces)]
    return tuple(part for part in parts if part.text)


def _quotable(name: str) -> str:
    return plain_name(name).translate(_QUOTES)


# ---- as it was agreed to ---------------------------------------------------------------------------------------------


def sealed(consent: Consent, shown: Statement) -> bytes:
    """Return the statement for :attr:`Consent.statement_text`. Raises ``VaultError``."""
    assert consent.person is not None
    content = json.dumps({"version": shown.version, "language": shown.language, "text": shown.text})
    return vault.seal(content.encode(), consent.person, _about(consent))


def agreed(consent: Consent) -> dict[str, Any] | None:
    """Return ``{"version", "language", "text"}`` as the person saw it; ``None`` where it was not kept, or is destroyed.

    With ``renamed`` the project's name was taken out of it when the other person, whom it named, withdrew.
    """
    if not consent.statement_text or consent.person is None or consent.withdrawn_at is not None:
        return None
    try:
        content = vault.unseal(bytes(consent.statement_text), consent.person, _about(consent))
    except vault.VaultError:
        log.exception("the statement of consent %s can't be read", consent.pk)
        return None
    found: dict[str, Any] = json.loads(content)
    return found


def rename_in_agreed(consent: Consent, before: str, now: str) -> None:
    """Put ``now`` in the place of a project's name that must not be kept any more."""
    found = agreed(consent)
    quoted = _quotable(before)
    if found is None or consent.person is None or quoted not in found["text"]:
        return
    found |= {"text": found["text"].replace(quoted, now), "renamed": True}
    box = vault.seal(json.dumps(found).encode(), consent.person, _about(consent))
    Consent.objects.filter(pk=consent.pk).update(statement_text=box)


def _about(consent: Consent) -> str:
    return f"{consent.pk}:statement"

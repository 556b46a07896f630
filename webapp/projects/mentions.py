"""Does a text name somebody? For texts that must not when the person has withdrawn."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_WORDS = re.compile(r"[^\W\d_]+")
_WITHIN = 4
"""A name of so many letters is found within a word, as in ``annavideo.mp4``; a shorter one is a word itself."""
_LATIN = re.compile(r"[a-z]+")


class Mentions:
    """Tells texts that name a person by their whole name or a part of it."""

    def __init__(self, names: Iterable[str]) -> None:
        words = {word for name in names for word in _WORDS.findall(_plain(name))}
        self._words = {word for word in words if len(word) > 1}

    def __bool__(self) -> bool:
        """Whether there is a name at all."""
        return bool(self._words)

    def within(self, text: str) -> bool:
        """Return whether ``text`` names the person."""
        plain = _plain(text)
        there = set(_WORDS.findall(plain))
        return any(word in there or (_is_found_within(word) and word in plain) for word in self._words)


def _is_found_within(word: str) -> bool:
    """Chinese, Japanese and others write no spaces between words."""
    return len(word) >= _WITHIN or not _LATIN.fullmatch(word)


def _plain(text: str) -> str:
    """Without case and accents."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in apart if not unicodedata.combining(character))

"""A client's name for a file is a text that people read: never a path, a header or an option."""

from __future__ import annotations

import re
import unicodedata

from webapp.uploads.models import NAME_LENGTH

_SEPARATORS = re.compile(r"[/\\]")
# Control characters, and those that turn the direction of writing: "gpj.exe" can look like "exe.jpg".
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def shown_name(name: str) -> str:
    """``name`` without folders and what can't be seen, at most 200 characters long, its ending kept; never empty."""
    plain = unicodedata.normalize("NFC", _UNSEEN.sub("", _SEPARATORS.split(name)[-1])).strip()
    if len(plain) > NAME_LENGTH:
        stem, dot, ending = plain.rpartition(".")
        ending = dot + ending if stem and len(ending) <= 8 else ""
        plain = plain[: NAME_LENGTH - len(ending)] + ending
    return plain or "file"

"""A client's name for a file is a text that people read: never a path, a header or an option."""

from __future__ import annotations

import re
import unicodedata

from webapp.names import plain_name
from webapp.uploads.models import NAME_LENGTH

_SEPARATORS = re.compile(r"[/\\]")


def shown_name(name: str) -> str:
    """``name`` without folders and what can't be seen, at most 200 characters long, its ending kept; never empty."""
    plain = unicodedata.normalize("NFC", plain_name(_SEPARATORS.split(name)[-1]))
    if len(plain) > NAME_LENGTH:
        stem, dot, ending = plain.rpartition(".")
        ending = dot + ending if stem and len(ending) <= 8 else ""
        plain = plain[: NAME_LENGTH - len(ending)] + ending
    return plain or "file"

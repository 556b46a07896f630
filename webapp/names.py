"""Names that people give: of projects, teams, people, runs, files, tokens. One line of visible text, nothing else.

Names stand in the statements that people agree to, in the audit log and on pages. A line break or a character that
turns the direction of writing would let a name look like something else there. :class:`NameField` refuses them however
a row is written.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

NAMES: dict[str, Any] = {
    "name.unseen": _(
        "A name must be one line of visible text, without line breaks, control characters or characters that "
        "change the text direction. Enter another name."
    ),
    "name.long": _("The name is too long."),
}
"""By code: why something can't be called so."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
"""Needed to write Persian, Hindi and many emoji, and harmless."""
_FILLERS = "\u115f\u1160\u3164\uffa0\u2800"
"""Letters by their category that look like nothing."""
_SPACE = re.compile(r"\s+")


def is_seen(character: str) -> bool:
    """Return whether the character may be part of a name."""
    if character in _JOINERS:
        return True
    return unicodedata.category(character) not in _UNSEEN and character not in _FILLERS


def validate_name(name: str) -> None:
    """Refuse a text that is no name: :class:`ValidationError` ``name.unseen``."""
    if not all(map(is_seen, name)):
        raise ValidationError(NAMES["name.unseen"], code="name.unseen")


def plain_name(text: str) -> str:
    """Return ``text`` as a name: one line, single spaces, nothing unseen. May be empty."""
    spaced = _SPACE.sub(" ", text)
    return "".join(filter(is_seen, spaced)).strip()


class NameField(models.CharField[str, str]):
    """A text column for a name. Forms check it like any field; besides, no row is saved with what is no name."""

    default_validators = [validate_name]  # noqa: RUF012 - as Django declares it

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Raise :class:`ValidationError` ``name.unseen`` or ``name.long`` instead of writing it."""
        if isinstance(value, str):
            validate_name(value)
            if self.max_length is not None and len(value) > self.max_length:
                raise ValidationError(NAMES["name.long"], code="name.long")
        return super().get_db_prep_save(value, connection)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """To migrations it is a plain text column."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.CharField", arguments, options


class NameInput(forms.CharField):
    """A form's field for a name."""

    default_validators = [validate_name]  # noqa: RUF012 - as Django declares it

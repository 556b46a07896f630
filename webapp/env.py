"""Settings from the environment: three typed readers instead of a framework."""

from __future__ import annotations

import os

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off", "")


def text(name: str, default: str = "") -> str:
    """The variable's text, without blanks around it."""
    return os.environ.get(name, default).strip()


def number(name: str, default: int) -> int:
    """The variable as a whole number. Raises ``ValueError`` that names the variable for anything else."""
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError:
        raise ValueError(f"{name} must be a whole number, not {value!r}") from None


def flag(name: str, default: bool = False) -> bool:
    """The variable as yes or no. Raises ``ValueError`` that names the variable for anything else."""
    value = text(name, "1" if default else "0").lower()
    if value not in _TRUE + _FALSE:
        raise ValueError(f"{name} must be 1 or 0, not {value!r}")
    return value in _TRUE

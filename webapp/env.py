"""Settings from the environment: typed readers instead of a framework."""

from __future__ import annotations

import os

from django.core.exceptions import ImproperlyConfigured

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off", "")


def text(name: str, default: str = "") -> str:
    """The variable's text, without blanks around it."""
    return os.environ.get(name, default).strip()


def required(name: str) -> str:
    """The variable's text. Raises ``ImproperlyConfigured`` that names the variable if it isn't set."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set; see docs/running.md")
    return value


def words(name: str, default: str = "") -> list[str]:
    """The variable's parts between commas, without blanks around them."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def one_of(name: str, allowed: tuple[str, ...]) -> str:
    """The variable, or the first of ``allowed``. Raises ``ImproperlyConfigured`` for anything else."""
    value = text(name) or allowed[0]
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


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

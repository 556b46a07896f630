"""What web apps have slots do every few seconds, beside their jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import Error

log = logging.getLogger(__name__)
_CHORES: list[Callable[[], object]] = []


def add(chore: Callable[[], object]) -> None:
    """Have every slot call ``chore()`` at each of its beats."""
    _CHORES.append(chore)


def do_all() -> None:
    """Do them. A chore's defects are its own; raises ``django.db.Error`` where the database is away."""
    for chore in _CHORES:
        try:
            chore()
        except Error:
            raise
        except Exception:
            log.exception("a chore failed: %s", getattr(chore, "__qualname__", chore))

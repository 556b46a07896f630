"""The studio's kinds of jobs, each in a module that has all that is particular to it."""

from __future__ import annotations

from webapp.studio.kinds import conversion, extraction, scoring, training


def register_all() -> None:
    """Register the studio's kinds."""
    for module in (extraction, training, conversion, scoring):
        module.register_kinds()

"""The clips whose people were made by a computer: those that are shipped with the demo, and no others."""

from __future__ import annotations

from django.dispatch import Signal

from webapp.consent.models import Consent, Way, alive
from webapp.projects.models import Person

CLIPS: dict[str, str] = {
    "4a5fb438a1f28596d4bb266ff22a8119b1e49dee25ec8da8f6eaa0d365f2ffcd": "person_a.mp4",
    "0db78519af7c401475b408adc5e2f8195fd1eae432a45285b3bfef33ec3ee83b": "person_b.mp4",
    "2f011a68976327bbd419f99450a5821ad2c787ddbcab83c257cfb70c2955df08": "held_out_a.mp4",
    "b4dadee5cedaf7ed1efd0e7ac5f3c2ace0f64c8265ada2f95570410c3c7d1dcf": "held_out_b.mp4",
}
"""SHA-256 of each file, and what it is called in ``demo/``."""

granting = Signal()
"""Sent before it is noted that the people of a ``project`` were made by a computer. A listener that knows other footage
of the project raises :class:`ConsentStepError` ``consent.not_synthetic``."""


def forbids(person: Person, sha256: str) -> bool:
    """Whether that file may not be taken in: who is said to be made by a computer is shown by no other file."""
    return sha256 not in CLIPS and Consent.objects.filter(alive(), person=person, way=Way.SYNTHETIC).exists()

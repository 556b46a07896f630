"""What lets apps above this one take away what they hold of a person who withdraws."""

from __future__ import annotations

from django.dispatch import Signal

from webapp.consent.models import Consent
from webapp.projects.mentions import Mentions
from webapp.projects.models import Person

withdrawn = Signal()
"""Sent in the transaction of a withdrawal, with ``consent``, ``person`` and ``mentions``, which tells texts that name
the person. The key to the person's evidence is still there, and goes afterwards."""


def mentions_of(person: Person) -> Mentions:
    """Return what tells texts that name the person. To be asked before their names are emptied."""
    return Mentions([person.name, *Consent.objects.filter(person=person).values_list("name", flat=True)])

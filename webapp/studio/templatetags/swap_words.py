"""Tags for pages that name the two people of a swap."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from webapp.projects.models import Person
from webapp.studio.swaps import swap_of

register = template.Library()


@register.simple_tag
def swap_words(direction: str, people: Iterable[Person]) -> str:
    """Return a direction in words: "Quinn gets the face of Paula"."""
    return swap_of(direction, people).words

"""The two people of a swap by name, for sentences that speak of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webapp.projects.models import Person

_ORIGINAL = _("the original person")
_WANTED = _("the target person")


@dataclass(frozen=True)
class Swap:
    """Whose face is replaced, and whose face replaces it."""

    original: str | Promise = _ORIGINAL
    wanted: str | Promise = _WANTED

    @property
    def words(self) -> str:
        """The direction of the swap in words."""
        return str(_("{original} gets the face of {wanted}")).format(original=self.original, wanted=self.wanted)


def swap_of(direction: str, people: Iterable[Person]) -> Swap:
    """Return the swap in a direction (``a2b`` or ``b2a``) between a project's two people."""
    names = {person.side: str(person) for person in people}
    original, wanted = direction.split("2")
    return Swap(names[original], names[wanted])

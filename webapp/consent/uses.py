"""What live consents do not allow, and whether the missing use has been asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from webapp.consent.errors import LACKING
from webapp.consent.models import Consent, Purpose, Standing
from webapp.projects.models import Person, Project


@dataclass(frozen=True)
class Lack:
    """A use that one person with a live consent has not agreed to."""

    person: Person
    consent: Consent
    """The live one."""
    purpose: str
    asked: bool
    """Whether the person has been asked for a consent that is not decided on yet."""

    @property
    def words(self) -> str:
        """What is not allowed, in a sentence."""
        return str(LACKING[self.purpose] % {"person": self.person})


def lacking(consent: Consent | None) -> list[str]:
    """Return the purposes that a live consent leaves out; none for one that is not live."""
    if consent is None or consent.standing != Standing.LIVE:
        return []
    return [purpose for purpose in Purpose.values if purpose not in consent.purposes]


def lacks_of(project: Project, purpose: str) -> list[Lack]:
    """Return those of the project's people who have a live consent without ``purpose``; one query."""
    consents = Consent.objects.filter(person__project=project).select_related("person__project").order_by("asked_at")
    return [lack for lack in lacks(consents) if lack.purpose == purpose]


def lacks(consents: Iterable[Consent]) -> list[Lack]:
    """Return what the live ones of ``consents`` leave out. All are of one project, in the order they were asked."""
    newest: dict[str, Consent] = {}
    live: dict[str, Consent] = {}
    for consent in consents:
        newest[consent.side] = consent
        if consent.standing == Standing.LIVE:
            live[consent.side] = consent
    found = []
    for side, consent in sorted(live.items()):
        asked = newest[side].standing in (Standing.ASKED, Standing.WAITING)
        assert consent.person is not None
        found += [Lack(consent.person, consent, purpose, asked) for purpose in lacking(consent)]
    return found


def kept(consent: Consent) -> list[str]:
    """Return the purposes of the person's live consent that ``consent`` does not ask for: they stay as they are."""
    live = Consent.objects.filter(person=consent.person).exclude(pk=consent.pk).order_by("-reviewed_at")
    found = next((one for one in live if one.standing == Standing.LIVE), None)
    return [purpose for purpose in found.purposes if purpose not in consent.purposes] if found else []

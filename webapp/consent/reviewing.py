"""Who may review a consent: a second person, who has looked at what was sent."""

from __future__ import annotations

from typing import Any

from webapp.accounts.independence import independent
from webapp.accounts.models import Membership, User
from webapp.consent.errors import ConsentStepError
from webapp.consent.models import Consent, ConsentLink, Evidence
from webapp.projects.access import REACH, Verb, may
from webapp.projects.models import AuditEntry

SEEN = "consent.evidence_seen"
"""In the audit log: a member was sent the evidence's content."""
_HANDLED = ("consent.asked", "consent.link_made", "consent.handed_in")
ROLES = [role for role, reach in REACH.items() if reach.value >= Verb.EDIT.value]
"""Those whose members may review."""


def require_reviewer(consent: Consent, reviewer: User) -> None:
    """Raise :class:`ConsentStepError` ``consent.role``, ``consent.own_review`` or ``review.*`` unless they may."""
    if consent.person is None or not may(reviewer, Verb.EDIT, consent.person.project.team_id):
        raise ConsentStepError("consent.role")
    if code := refusal(consent, reviewer):
        raise ConsentStepError(code)


def require_seen(consent: Consent, reviewer: User) -> None:
    """Raise :class:`ConsentStepError` ``consent.no_evidence`` or ``.not_seen`` unless they saw all that was sent."""
    kept = list(consent.evidence.exclude(file=""))
    if not kept:
        raise ConsentStepError("consent.no_evidence")
    if not all(_has_seen(one, reviewer) for one in kept):
        raise ConsentStepError("consent.not_seen")


def refusal(consent: Consent, reviewer: User) -> str:
    """Return the code of why somebody does not count as a second person for this consent; empty if they do."""
    handlers = _handlers(consent)
    if reviewer.pk in {user.pk for user in handlers}:
        return "consent.own_review"
    refusals = (independent(reviewer, handler) for handler in handlers)
    return next((found.code for found in refusals if found is not None), "")


def able(consent: Consent) -> list[User]:
    """Return the members of the team who may review it, by their addresses."""
    if consent.person is None:
        return []
    members = Membership.objects.filter(
        team=consent.person.project.team_id, role__in=ROLES, user__is_active=True
    ).select_related("user")
    return [one.user for one in members.order_by("user__email") if not refusal(consent, one.user)]


def seen_version(kept: Evidence) -> dict[str, str]:
    """Return what the audit log notes of the evidence that was shown: which, and the hash of its content."""
    return {"evidence": str(kept.pk), "sha256": kept.kept_sha256 or kept.sha256}


def _has_seen(kept: Evidence, reviewer: User) -> bool:
    shown = {f"data__{name}": value for name, value in seen_version(kept).items()}
    return AuditEntry.objects.filter(verb=SEEN, actor=reviewer, **shown).exists()


def _handlers(consent: Consent) -> list[User]:
    """All members through whose hands it went: who asked, made a link, or handed something in."""
    found: set[Any] = {consent.asked_by_id}
    found |= set(ConsentLink.objects.filter(consent=consent).values_list("made_by", flat=True))
    entries = AuditEntry.objects.filter(
        project=consent.project_number, verb__in=_HANDLED, data__consent=str(consent.pk)
    )
    found |= set(entries.values_list("actor", flat=True))
    return list(User.objects.filter(pk__in=found - {None}).order_by("pk"))

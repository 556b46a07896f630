"""The audit log of a team says what was done to the team and its members' accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.dispatch import receiver

from webapp.accounts.models import Team, User
from webapp.accounts.records import recorded
from webapp.projects import audit


@receiver(recorded)
def add(actor: User | None, verb: str, team: Team, data: Mapping[str, Any], **_: Any) -> None:
    """Add an entry, in the transaction of what was done."""
    audit.append(actor, verb, team, data=data)

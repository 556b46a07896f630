"""What happens to teams and accounts, for the audit log, which lies above this app and listens to :data:`recorded`."""

from __future__ import annotations

import logging
from typing import Any

from django.dispatch import Signal

from webapp.accounts.models import Team, User

log = logging.getLogger(__name__)

recorded = Signal()
"""Sent in the transaction of what is done, with ``actor``, ``verb``, ``team`` and ``data``."""


def record(actor: User | None, verb: str, team: Team, **data: Any) -> None:
    """Tell the audit log what ``actor`` (``None``: the command line) did in ``team``."""
    recorded.send(sender=Team, actor=actor, verb=verb, team=team, data=data)


def record_of_account(actor: User | None, verb: str, user: User) -> None:
    """Record what ``actor`` (``None``: the command line) did with the account of ``user``."""
    log.info("%s: account %d, by %s", verb, user.pk, actor.pk if actor else "the command line")
    for team in Team.objects.filter(memberships__user=user).order_by("pk"):
        record(actor, verb, team, email=user.email)

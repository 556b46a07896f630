"""What happens to an account, in the audit log of each of its teams, and in the installation's log."""

from __future__ import annotations

import logging

from webapp.accounts.models import Team, User
from webapp.projects.services import record

log = logging.getLogger(__name__)


def record_of_account(actor: User | None, verb: str, user: User) -> None:
    """Record what ``actor`` (``None``: the command line) did with the account of ``user``."""
    log.info("%s: account %d, by %s", verb, user.pk, actor.pk if actor else "the command line")
    for team in Team.objects.filter(memberships__user=user).order_by("pk"):
        record(actor, verb, team, email=user.email)

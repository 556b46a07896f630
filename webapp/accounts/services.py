"""What changes teams: founding one, changing roles, leaving. Joining is in ``invitations.py``."""

from __future__ import annotations

from django.db import transaction

from webapp.accounts.models import Membership, Role, Team, User
from webapp.accounts.words import TEAM


class TeamError(Exception):
    """A change to a team or an account that can't be. ``code`` is stable: a key of :data:`words.TEAM`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        return str(TEAM[self.code])


@transaction.atomic
def found_team(founder: User, name: str) -> Team:
    """A new team whose owner is its founder."""
    team = Team.objects.create(name=name)
    Membership.objects.create(team=team, user=founder, role=Role.OWNER)
    return team


@transaction.atomic
def change_role(membership: Membership, role: str) -> None:
    """Give a member another role. Raises :class:`TeamError` ``team.last_owner`` if nobody could manage it then."""
    _keep_an_owner(membership, role)
    membership.role = role
    membership.save(update_fields=["role"])


@transaction.atomic
def remove_member(membership: Membership) -> None:
    """Take a member out of the team. Raises :class:`TeamError` ``team.last_owner``."""
    _keep_an_owner(membership, None)
    membership.delete()


def _keep_an_owner(membership: Membership, role: str | None) -> None:
    # The team's row is the lock: of two owners who leave at the same moment, the second waits and is refused.
    Team.objects.select_for_update().get(pk=membership.team_id)
    others = Membership.objects.filter(team_id=membership.team_id, role=Role.OWNER).exclude(pk=membership.pk)
    if role != Role.OWNER and not others.exists():
        raise TeamError("team.last_owner")

"""What changes teams: founding one, inviting, joining, changing roles, leaving."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from webapp.accounts.models import Invitation, Membership, Role, Team, User

INVITATION_DAYS = 7


class TeamError(Exception):
    """A change that a team doesn't allow. ``code`` is stable; pages translate it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@transaction.atomic
def found_team(founder: User, name: str) -> Team:
    """A new team whose owner is its founder."""
    team = Team.objects.create(name=name)
    Membership.objects.create(team=team, user=founder, role=Role.OWNER)
    return team


def invite(team: Team, email: str, role: str, invited_by: User) -> tuple[Invitation, str]:
    """An invitation and the token for its link, which can't be had again."""
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        team=team,
        email=email.strip().lower(),
        role=role,
        token_hash=_hash(token),
        invited_by=invited_by,
        expires_at=timezone.now() + timedelta(days=INVITATION_DAYS),
    )
    return invitation, token


def open_invitation(token: str) -> Invitation:
    """The invitation behind a link. Raises :class:`TeamError`: ``invitation.unknown``, ``.used``, ``.expired``."""
    invitation = Invitation.objects.select_related("team").filter(token_hash=_hash(token)).first()
    if invitation is None:
        raise TeamError("invitation.unknown")
    if invitation.accepted_at is not None:
        raise TeamError("invitation.used")
    if invitation.expires_at < timezone.now():
        raise TeamError("invitation.expired")
    return invitation


@transaction.atomic
def accept(token: str, user: User) -> Membership:
    """Make ``user`` a member. Raises :class:`TeamError` as :func:`open_invitation`; of two at once, one is too late."""
    invitation = open_invitation(token)
    taken = Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(accepted_at=timezone.now())
    if not taken:
        raise TeamError("invitation.used")
    membership, _new = Membership.objects.get_or_create(
        team=invitation.team, user=user, defaults={"role": invitation.role}
    )
    return membership


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


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""What a role allows in a team: the one place that knows.

Somebody outside the team gets 404, as if it weren't there; a member whose role doesn't reach gets 403.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404

from webapp.accounts.makers import is_backed, may_act
from webapp.accounts.models import Membership, Role, Team, User


class Verb(Enum):
    """What somebody may want to do with a team's projects, each including the ones before it."""

    VIEW = 1
    """See pages, watch jobs, play and download results."""
    REVIEW = 2
    """Give verdicts on crops."""
    EDIT = 3
    """Make projects, upload, start and steer jobs, delete what a project holds."""
    MANAGE = 4
    """Invite people, change roles, delete projects and the team."""


REACH: dict[str, Verb] = {
    Role.VIEWER: Verb.VIEW,
    Role.REVIEWER: Verb.REVIEW,
    Role.EDITOR: Verb.EDIT,
    Role.OWNER: Verb.MANAGE,
}
"""The furthest verb of each role."""


def role_of(user: Any, team_id: int) -> str | None:
    """The user's role in the team, or a lower one that a token acts in; ``None`` for somebody outside, signed out,
    deactivated, or the demo's account without the demo."""
    if not may_act(user):
        return None
    role = Membership.objects.filter(user=user, team_id=team_id).values_list("role", flat=True).first()
    return role if role is None else _capped(user, role)


def _capped(user: Any, role: str) -> str:
    most = user.acts_as
    return role if most is None or reaches(most, REACH[role]) else most


def cap_reaches(user: Any, verb: Verb) -> bool:
    """Whether a token leaves ``user`` the right to do ``verb`` where their role gives it; true without a token."""
    return user.acts_as is None or reaches(user.acts_as, verb)


def backs(maker: User | None, made_with: str, verb: Verb, team_id: int) -> bool:
    """Whether a link that ``maker`` made for a team still counts: they could make it today, with the password of then.

    ``verb``: what it took to make it. ``made_with``: see :func:`webapp.accounts.makers.stamp_of`.
    """
    return is_backed(maker, made_with) and may(maker, verb, team_id)


def may(user: Any, verb: Verb, team_id: int) -> bool:
    """Whether ``user`` may do ``verb`` with what belongs to the team."""
    return reaches(role_of(user, team_id), verb)


def reaches(role: str | None, verb: Verb) -> bool:
    """Whether somebody of that role may do ``verb``."""
    return role is not None and verb.value <= REACH[role].value


def teams_where(user: Any, verb: Verb) -> set[int]:
    """The keys of all teams in which ``user`` may do ``verb``."""
    if not may_act(user):
        return set()
    roles = Membership.objects.filter(user=user).values_list("team", "role")
    return {team for team, role in roles if reaches(_capped(user, role), verb)}


def require(user: Any, verb: Verb, team_id: int) -> str:
    """The user's role in the team.

    Raises :class:`Http404` for somebody outside the team and :class:`PermissionDenied` for a role too low.
    """
    role = role_of(user, team_id)
    if role is None:
        raise Http404
    if not reaches(role, verb):
        raise PermissionDenied
    return role


def get_team(user: Any, team_id: int, verb: Verb = Verb.VIEW) -> Team:
    """The team, if ``user`` may do ``verb`` with it; see :func:`require` for what is raised otherwise."""
    require(user, verb, team_id)
    return Team.objects.get(pk=team_id)

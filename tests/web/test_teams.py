"""Inviting, joining, changing roles, leaving."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from webapp.accounts.invitations import accept, invite, open_invitation
from webapp.accounts.models import Invitation, Membership, Role, Team, User
from webapp.accounts.services import TeamError, change_role, found_team, remove_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("owner@example.org", "a long password")


@pytest.fixture
def team(owner: User) -> Team:
    return found_team(owner, "Team")


@pytest.fixture
def guest() -> User:
    return User.objects.create_user("Guest@Example.org", "a long password")


def test_an_address_is_the_same_in_any_case(guest: User) -> None:
    assert guest.email == "guest@example.org"
    assert User.objects.get_by_natural_key("GUEST@example.ORG") == guest


def test_an_invitation_makes_a_member_once(team: Team, owner: User, guest: User) -> None:
    _, token = invite(team, "guest@example.org", Role.REVIEWER, owner)
    assert accept(token, guest).role == Role.REVIEWER
    with pytest.raises(TeamError, match=r"invitation\.used"):
        accept(token, guest)


def test_the_token_is_not_kept(team: Team, owner: User) -> None:
    invitation, token = invite(team, "guest@example.org", Role.VIEWER, owner)
    assert token not in str(invitation.__dict__)


def test_an_invitation_ends_after_a_week(team: Team, owner: User, guest: User) -> None:
    invitation, token = invite(team, "guest@example.org", Role.VIEWER, owner)
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(TeamError, match=r"invitation\.expired"):
        accept(token, guest)


def test_a_made_up_link_is_unknown() -> None:
    with pytest.raises(TeamError, match=r"invitation\.unknown"):
        open_invitation("made up")


def test_a_member_who_opens_another_invitation_keeps_the_role(team: Team, owner: User) -> None:
    _, token = invite(team, owner.email, Role.VIEWER, owner)
    assert accept(token, owner).role == Role.OWNER


def test_the_last_owner_stays(team: Team, owner: User, guest: User) -> None:
    own = Membership.objects.get(user=owner)
    for change in (lambda: change_role(own, Role.VIEWER), lambda: remove_member(own)):
        with pytest.raises(TeamError, match=r"team\.last_owner"):
            change()
    Membership.objects.create(team=team, user=guest, role=Role.OWNER)
    change_role(own, Role.VIEWER)
    assert Membership.objects.get(user=owner).role == Role.VIEWER

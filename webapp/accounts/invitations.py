"""Inviting somebody into a team by a link, and joining by it.

A link is for one address. It ends when it is used, after :data:`DAYS`, when an owner takes it back, and when whoever
made it may not invite any more, see ``makers.py``.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from webapp.accounts.access import Verb, backs
from webapp.accounts.makers import DEMO_ADDRESS, is_backed, stamp_of
from webapp.accounts.models import Invitation, Membership, Role, Team, User
from webapp.accounts.proofs import prove_by_mail, remember_inviter
from webapp.accounts.services import TeamError

DAYS = 7


def invite(team: Team, email: str, role: str, invited_by: User, *, mailed: bool = False) -> tuple[Invitation, str]:
    """Return an invitation and the token for its link, which can't be had again.

    ``mailed``: the caller sends the link to the address and shows it to nobody. Raises :class:`TeamError`
    ``invitation.demo`` for the demo's address.
    """
    address = email.strip().lower()
    if address == DEMO_ADDRESS:
        raise TeamError("invitation.demo")
    token, now = secrets.token_urlsafe(32), timezone.now()
    invitation = Invitation.objects.create(
        team=team,
        email=address,
        role=role,
        token_hash=_hash(token),
        invited_by=invited_by,
        made_with=stamp_of(invited_by),
        mailed_at=now if mailed else None,
        expires_at=now + timedelta(days=DAYS),
    )
    return invitation, token


def open_invitation(token: str) -> Invitation:
    """The invitation behind a link. Raises :class:`TeamError`: ``invitation.unknown``, ``.used``, ``.expired``,
    ``.ended`` if its maker may not invite any more."""
    invitation = Invitation.objects.select_related("team", "invited_by").filter(token_hash=_hash(token)).first()
    if invitation is None:
        raise TeamError("invitation.unknown")
    if invitation.accepted_at is not None:
        raise TeamError("invitation.used")
    if invitation.expires_at < timezone.now():
        raise TeamError("invitation.expired")
    if not backs(invitation.invited_by, invitation.made_with, Verb.MANAGE, invitation.team_id):
        raise TeamError("invitation.ended")
    return invitation


def open_ones(team: Team) -> list[Invitation]:
    """The team's invitations that can be accepted, the first to end first."""
    found = Invitation.objects.filter(team=team, accepted_at=None, expires_at__gt=timezone.now())
    found = found.filter(invited_by__in=Membership.objects.filter(team=team, role=Role.OWNER).values("user"))
    rows = found.select_related("invited_by").order_by("expires_at")
    return [one for one in rows if is_backed(one.invited_by, one.made_with)]


@transaction.atomic
def accept(token: str, user: User) -> Membership:
    """Make ``user`` a member. Raises :class:`TeamError` as :func:`open_invitation`, and ``invitation.other_address``
    for an account with another address; of two at once, one is too late."""
    found = open_invitation(token)
    # The team's row is the lock that roles change under: an owner who is being removed can't bring anybody in.
    Team.objects.select_for_update().get(pk=found.team_id)
    invitation = open_invitation(token)
    if not is_for(invitation, user):
        raise TeamError("invitation.other_address")
    taken = Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(accepted_at=timezone.now())
    if not taken:
        raise TeamError("invitation.used")
    _remember(invitation, user)
    membership, _new = Membership.objects.get_or_create(
        team=invitation.team, user=user, defaults={"role": invitation.role}
    )
    return membership


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether the invitation names the account's address."""
    return user.email.lower() == invitation.email.lower()


def open_account(invitation: Invitation, password: str) -> None:
    """Make the account that the invitation is for, unless it is there; who asks can't tell which from the answer.

    The account is in no team yet: its owner signs in and accepts.
    """
    user = User(email=invitation.email, password=make_password(password))  # takes as long when it is not needed
    if User.objects.filter(email__iexact=invitation.email).exists():
        return
    try:
        with transaction.atomic():
            user.save()
            _remember(invitation, user)
    except IntegrityError:  # made at this very moment by the same link
        return


def _remember(invitation: Invitation, user: User) -> None:
    remember_inviter(user, invitation.invited_by, invitation.team)
    if invitation.mailed_at is not None:
        prove_by_mail(user)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

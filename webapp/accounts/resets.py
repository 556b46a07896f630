"""Links for somebody who can't sign in to set a new password, made by staff or on the command line.

Owners can't make one: the account may be in other teams too. A link works once, for :data:`HOURS`; the next one for the
account, a new password, and the end of its maker's rights end it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from webapp.accounts.makers import DEMO_ADDRESS, is_backed, stamp_of
from webapp.accounts.models import ResetLink, User
from webapp.accounts.records import record_of_account
from webapp.accounts.services import TeamError

HOURS = 24


@transaction.atomic
def make_reset_link(user: User, by: User | None) -> str:
    """Return the token of a link for ``user``, which can't be had again; ``by`` is ``None`` for the command line.

    Raises :class:`TeamError`: ``reset.demo`` for the demo's account, ``reset.superuser`` if ``by`` is staff and
    ``user`` may do more than that.
    """
    if user.email == DEMO_ADDRESS:
        raise TeamError("reset.demo")
    if by is not None and user.is_superuser and not by.is_superuser:
        raise TeamError("reset.superuser")
    end_reset_links(user)
    token = secrets.token_urlsafe(32)
    ResetLink.objects.create(
        user=user,
        token_hash=_hash(token),
        made_by=by,
        made_with=stamp_of(by) if by else "",
        expires_at=timezone.now() + timedelta(hours=HOURS),
    )
    record_of_account(by, "account.reset_link", user)
    return token


def open_reset_link(token: str) -> ResetLink:
    """The link. Raises :class:`TeamError`: ``reset.unknown``, ``.used``, ``.expired``, ``.ended`` with its maker."""
    link = ResetLink.objects.select_related("user", "made_by").filter(token_hash=_hash(token)).first()
    if link is None or not link.user.is_active:
        raise TeamError("reset.unknown")
    if link.used_at is not None:
        raise TeamError("reset.used")
    if link.expires_at < timezone.now():
        raise TeamError("reset.expired")
    by_command = link.made_by is None and not link.made_with
    if not by_command and not (is_backed(link.made_by, link.made_with) and link.made_by and link.made_by.is_staff):
        raise TeamError("reset.ended")
    return link


@transaction.atomic
def use_reset_link(token: str, password: str) -> User:
    """Set the password. Raises :class:`TeamError` as :func:`open_reset_link`; of two at once, one is too late."""
    link = open_reset_link(token)
    if not ResetLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now()):
        raise TeamError("reset.used")
    link.user.set_password(password)
    link.user.save()
    record_of_account(link.user, "account.password_reset", link.user)
    return link.user


def end_reset_links(user: User) -> None:
    """End all links for the account that were not used."""
    ResetLink.objects.filter(user=user, used_at=None).delete()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

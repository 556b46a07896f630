"""Making tokens, and who is behind one."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db.models.functions import Now

from webapp.accounts.makers import is_backed, stamp_of
from webapp.accounts.models import Role, User
from webapp.api.models import ApiToken, Scope
from webapp.names import plain_name

DAYS, MOST_DAYS = 90, 365
"""How long a token lives unless its maker says otherwise, and at most."""
ACTS_AS: dict[str, Role] = {Scope.READ: Role.VIEWER, Scope.REVIEW: Role.REVIEWER, Scope.WRITE: Role.EDITOR}
"""The role that each scope acts in at most, in every team."""
_REMEMBERED = timedelta(minutes=1)


def make_token(user: User, name: str, scope: str = Scope.WRITE, days: int = DAYS) -> str:
    """Return a new token, which can't be had again. ``days``: 1 to :data:`MOST_DAYS`. Raises ``ValueError``."""
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"a token lives for 1 to {MOST_DAYS} days, not {days}")
    token = f"fss_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(
        user=user,
        name=plain_name(name)[:100] or "–",
        token_hash=_hash(token),
        scope=Scope(scope),
        made_with=stamp_of(user),
        expires_at=Now() + timedelta(days=days),
    )
    return token


def user_of(token: str) -> User | None:
    """Who is behind ``token``, in the role of its scope at most.

    ``None`` for one that is unknown, revoked or past its end, and when its person has another password by now, was
    deactivated, or is the demo's and there is no demo.
    """
    found = _found(token)
    if found is None or not is_backed(found.user, found.made_with):
        return None
    lately = ApiToken.objects.filter(pk=found.pk).exclude(used_at__gt=Now() - _REMEMBERED)
    lately.update(used_at=Now())
    found.user.acts_as = ACTS_AS[found.scope]
    return found.user


def works(token: ApiToken) -> bool:
    """Whether the token of the row, with its user, still opens anything."""
    return not token.has_expired and is_backed(token.user, token.made_with)


def _found(token: str) -> ApiToken | None:
    known = ApiToken.objects.select_related("user").filter(expires_at__gt=Now())
    return known.filter(token_hash=_hash(token)).first()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

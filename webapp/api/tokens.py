"""Making tokens, and who is behind one."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.api.models import ApiToken
from webapp.names import plain_name

_REMEMBERED = timedelta(minutes=1)


def make_token(user: User, name: str) -> str:
    """A new token, which can't be had again."""
    token = f"fss_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(user=user, name=plain_name(name)[:100] or "–", token_hash=_hash(token))
    return token


def user_of(token: str) -> User | None:
    """Who is behind ``token``; ``None`` for one that is unknown or revoked, and for somebody who was deactivated."""
    found = ApiToken.objects.select_related("user").filter(token_hash=_hash(token), user__is_active=True).first()
    if found is None:
        return None
    lately = ApiToken.objects.filter(pk=found.pk).exclude(used_at__gt=Now() - _REMEMBERED)
    lately.update(used_at=Now())
    return found.user


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

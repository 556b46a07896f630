"""Links and tokens end with whoever made them: each is asked for its maker when it is used.

What somebody makes keeps a stamp of their password. It counts while the maker may act at all and has that password
still, as a session does; and, where a team gave them the right to make it, while their role in it still gives it
(``webapp.accounts.access.backs``). So nothing has to be found and deleted when somebody leaves.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from webapp.accounts.models import User

DEMO_ADDRESS = "demo@localhost"
"""The demo's account. Everybody knows its password, so it may do nothing unless ``settings.DEMO``."""
_SALT = "webapp.accounts.makers"


def may_act(user: Any) -> bool:
    """Whether the account may do anything: signed in, active, and the demo's only in the demo's mode."""
    known = user.is_authenticated and user.is_active
    return bool(known and (settings.DEMO or user.email != DEMO_ADDRESS))


def stamp_of(user: User) -> str:
    """What to keep with a link or token that ``user`` makes."""
    return stamp(user.password)


def stamp(password: str, secret: str | bytes | None = None) -> str:
    """The stamp of a password as it is stored."""
    return salted_hmac(_SALT, password, secret=secret, algorithm="sha256").hexdigest()


def is_backed(maker: User | None, made_with: str) -> bool:
    """Whether what ``maker`` made with the stamp ``made_with`` still counts, as far as the account decides that."""
    if maker is None or not may_act(maker):
        return False
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(constant_time_compare(made_with, stamp(maker.password, secret)) for secret in secrets)

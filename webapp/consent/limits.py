"""How often a page that needs no account may be asked for.

A link that exists is counted for itself and for each address, so that nobody can use it up for anybody else, and
nothing that happens elsewhere counts for it. Links that don't exist are counted for their address.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache
from django.http import HttpRequest

from webapp.clients import address_key
from webapp.consent.errors import ConsentStepError

_SECONDS = 60
_WRONG = 60
"""Wrong links that one address may ask for in a minute."""


def slow_down(request: HttpRequest, what: str, most: int, token: str) -> None:
    """Raise :class:`ConsentStepError` ``consent.often`` when an address did ``what`` by the link ``token``, which
    exists, ``most`` times within a minute."""
    link = hashlib.sha256(token.encode()).hexdigest()[:32]
    _count(f"consent:{what}:{link}:{address_key(request)}", most)


def wrong_link(request: HttpRequest) -> None:
    """Raise :class:`ConsentStepError` ``consent.often`` when an address asked for too many links that don't exist."""
    _count(f"consent:wrong:{address_key(request)}", _WRONG)


def _count(key: str, most: int) -> None:
    cache.add(key, 0, _SECONDS)
    try:
        times = cache.incr(key)
    except ValueError:  # it ran out just now
        return
    if times > most:
        raise ConsentStepError("consent.often")

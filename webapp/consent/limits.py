"""How often one address may do something on the pages that need no account."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest

from webapp.accounts.limits import client_address
from webapp.consent.errors import ConsentStepError

_SECONDS = 60


def slow_down(request: HttpRequest, what: str, most: int) -> None:
    """Raises :class:`ConsentStepError` ``consent.often`` when ``what`` was done ``most`` times within a minute."""
    key = f"consent:{what}:{client_address(request)}"
    cache.add(key, 0, _SECONDS)
    try:
        times = cache.incr(key)
    except ValueError:  # it ran out just now
        return
    if times > most:
        raise ConsentStepError("consent.often")

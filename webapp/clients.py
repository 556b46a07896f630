"""Who asks: one key for a signed-in user, or for the address of somebody without an account."""

from __future__ import annotations

from contextvars import ContextVar
from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

_NOBODY = "nobody"
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def network_of(address: str) -> str | None:
    """Return what counts as one address: of IPv6 the network that one line gets. ``None`` for what is no address."""
    try:
        known = ip_address(address)
    except ValueError:
        return None
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(IPv6Network((known, 64), strict=False).network_address)
    return str(known)


def client_address(request: HttpRequest) -> str:
    """Whose address counts: the one that connects, or what the last of the ``PROXIES`` in front of us saw.

    What stands further left in ``X-Forwarded-For`` comes from the client, who may write anything there.
    """
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if 0 < settings.PROXIES <= len(seen):
        return str(seen[-settings.PROXIES])
    return str(request.META.get("REMOTE_ADDR", ""))


def address_key(request: HttpRequest) -> str:
    """Return a key for the address that the request comes from."""
    return f"address:{network_of(client_address(request)) or _NOBODY}"


def client_key(request: HttpRequest) -> str:
    """Return a key for the signed-in user, otherwise for the address."""
    user = getattr(request, "user", None)
    return f"user:{user.pk}" if user is not None and user.is_authenticated else address_key(request)


def remember(request: HttpRequest) -> None:
    """Let :func:`current` know whose request is answered in this context."""
    _request.set(request)


def current() -> str:
    """Return the key of the client whose request is being answered."""
    request = _request.get()
    return _NOBODY if request is None else client_key(request)

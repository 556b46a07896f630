"""From which pages a WebSocket may be opened: those of the studio itself, with the same scheme, host and port.

A browser sends its cookies also with a socket that a page of another site opens, or of another port of the same host.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

_PORTS = {"http": 80, "https": 443}
_HTTP = {"ws": "http", "wss": "https"}


class SameOrigin:
    """Lets only connections through whose ``Origin`` is that of the studio's own pages, as Django does with forms:
    that of the request itself, or one of ``CSRF_TRUSTED_ORIGINS``."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        inner = self._application if is_own(scope) else WebsocketDenier()
        return await inner(scope, receive, send)


def is_own(scope: dict[str, Any]) -> bool:
    """Whether the handshake comes from a page of the studio. One without an ``Origin`` comes from no browser: no."""
    sent = [value.decode("latin1") for name, value in scope.get("headers", ()) if name == b"origin"]
    origin = _parts(sent[0]) if len(sent) == 1 else None
    if origin is None:
        return False
    own = _own(scope)
    return origin == own or origin in {_parts(one) for one in settings.CSRF_TRUSTED_ORIGINS}


def _own(scope: dict[str, Any]) -> tuple[str, str, int] | None:
    """Scheme, host and port under which the request has come; ``None`` for a host that is not allowed."""
    host = _header(scope, b"host")
    domain, _port = split_domain_port(host)
    allowed = settings.ALLOWED_HOSTS or ([".localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
    if not domain or not validate_host(domain, allowed):
        return None
    return _parts(f"{_scheme(scope)}://{host}")


def _scheme(scope: dict[str, Any]) -> str:
    """``http`` or ``https``, by the proxy's word where the settings say that there is one."""
    if settings.SECURE_PROXY_SSL_HEADER is not None:
        name, secure = settings.SECURE_PROXY_SSL_HEADER
        told = _header(scope, name.removeprefix("HTTP_").replace("_", "-").lower().encode())
        return "https" if told.split(",")[0].strip() == secure else "http"
    return _HTTP.get(scope.get("scheme", "ws"), "http")


def _header(scope: dict[str, Any], wanted: bytes) -> str:
    return next((value.decode("latin1") for name, value in scope.get("headers", ()) if name == wanted), "")


def _parts(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an origin; ``None`` for what is none, as ``null``."""
    try:
        address = urlsplit(origin)
        port = address.port or _PORTS.get(address.scheme)
    except ValueError:
        return None
    if port is None or not address.hostname or address.path or address.query or address.username is not None:
        return None
    return address.scheme, address.hostname, port

"""What a page of the studio may load and run: only what the studio itself serves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import HttpRequest, HttpResponseBase

# No page has a script or a style inside its text, so that not even a nonce is needed.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:{files}",
        "media-src 'self'{files}{media}",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


class ContentSecurityPolicyMiddleware:
    """Puts the policy on every answer."""

    # Both, so that no thread has to wait in it: see webapp/static_files.py.
    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._policy = policy()
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        answer = self._get_response(request)
        return self._later(answer) if iscoroutinefunction(self) else self._with_policy(answer)

    async def _later(self, answer: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        return self._with_policy(await answer)

    def _with_policy(self, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Security-Policy", self._policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response


def policy(media: str = "") -> str:
    """The policy; ``media``: one more place that videos may come from."""
    return _POLICY.format(files=_files_origin(), media=f" {media}" if media else "")


def _files_origin() -> str:
    """A blank and where pictures and videos come from, if not from the studio itself."""
    if isinstance(default_storage, FileSystemStorage):
        return ""
    address = urlsplit(default_storage.url("any"))
    return f" {address.scheme}://{address.netloc}"

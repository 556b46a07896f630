"""What a page of the studio may load and run: only what the studio itself serves."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.core.files.storage import FileSystemStorage, default_storage
from django.http import HttpRequest, HttpResponse

# No page has a script or a style inside its text, so that not even a nonce is needed.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:{files}",
        "media-src 'self'{files}",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


class ContentSecurityPolicyMiddleware:
    """Puts the policy on every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._policy = _POLICY.format(files=_files_origin())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response.headers.setdefault("Content-Security-Policy", self._policy)
        return response


def _files_origin() -> str:
    """A blank and where pictures and videos come from, if not from the studio itself."""
    if isinstance(default_storage, FileSystemStorage):
        return ""
    address = urlsplit(default_storage.url("any"))
    return f" {address.scheme}://{address.netloc}"

"""Addresses that only take what forms send, opened as pages: by a reload, a bookmark, or the address bar."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve
from django.utils.deprecation import MiddlewareMixin


class WrongMethodMiddleware(MiddlewareMixin):
    """Sends a browser that opens such an address to the page above it, in place of the browser's own empty page."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Scripts, which do not ask for HTML, still get the 405."""
        wants_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if response.status_code != 405 or not wants_page:
            return response
        return HttpResponseRedirect(_above(request.path_info))


def _above(path: str) -> str:
    """Return the nearest address above ``path`` that there is. It may take no GET either; then it is asked again."""
    parts = path.strip("/").split("/")
    for kept in range(len(parts) - 1, 0, -1):
        found = f"/{'/'.join(parts[:kept])}/"
        try:
            resolve(found)
        except Resolver404:
            continue
        return found
    return "/"

"""Whoever sends a token is its person, where scripts work: the API, uploads by tus, and files. Nowhere else."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from webapp.api.tokens import user_of

_SCHEME = "bearer "
API = "api-1"
"""Namespace of the API, whose every address takes tokens."""
BESIDE = frozenset(
    {
        "api",
        "uploads:create",
        "uploads:upload",
        "uploads:file",
        "curation:large",
        "jobs:file",
        "jobs:whole-log",
        "studio:score-table",
    }
)
"""The other addresses that take tokens. Pages are for people who have signed in: there links, members and further
tokens can be made, which would outlive a token that has leaked."""


class TokenMiddleware(MiddlewareMixin):
    """Reads ``Authorization: Bearer …``. No browser sends that by itself, so no form's secret is asked for with it."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        said = request.headers.get("Authorization", "")
        if not said.lower().startswith(_SCHEME) or request.path == "/metrics":
            return None
        user = user_of(said[len(_SCHEME) :].strip())
        if user is None:
            return _refused("token.unknown", _("This token does not exist or no longer works. Create a new one."), 401)
        known: Any = request
        known.user = user
        known.by_token = True
        known._dont_enforce_csrf_checks = True
        return None

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Refuse a token on a page for people."""
        match = request.resolver_match
        if not getattr(request, "by_token", False) or match is None:
            return None
        if API in match.namespaces or match.view_name in BESIDE:
            return None
        return _refused("token.session", _("API tokens don't work on this page. Sign in with a browser."), 403)


def _refused(code: str, text: str, status: int) -> HttpResponse:
    return JsonResponse({"code": code, "text": text}, status=status)

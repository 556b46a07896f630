"""Whoever sends a token is its person, on every address of the studio: the API's, uploads' by tus, and files'."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from webapp.api.tokens import user_of

_SCHEME = "bearer "


class TokenMiddleware(MiddlewareMixin):
    """Reads ``Authorization: Bearer …``. No browser sends that by itself, so no form's secret is asked for with it."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        said = request.headers.get("Authorization", "")
        if not said.lower().startswith(_SCHEME) or request.path == "/metrics":
            return None
        user = user_of(said[len(_SCHEME) :].strip())
        if user is None:
            return JsonResponse({"code": "token.unknown", "text": _("There is no such token.")}, status=401)
        known: Any = request
        known.user = user
        known.by_token = True
        known._dont_enforce_csrf_checks = True
        return None

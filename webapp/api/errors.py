"""What goes wrong, as the API says it: ``{"code", "text"}`` and a fitting status."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as NameRefused
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from faceengine.errors import ConfigError
from faceengine.jobs.permits import Refused
from webapp.consent.errors import ConsentError
from webapp.consent.middleware import see_to_entry
from webapp.studio.errors import StudioError


class ScopeError(Exception):
    """The token's scope does not allow the request."""


def answer_errors(api: NinjaAPI) -> None:
    """Have ``api`` answer so."""

    def on(error: type[Exception], status: int, say: Any) -> None:
        def answer(_request: HttpRequest, found: Any) -> HttpResponse:
            code, text = say(found)
            return JsonResponse({"code": code, "text": str(text)}, status=status)

        api.add_exception_handler(error, answer)

    api.add_exception_handler(Refused, _refused)
    on(AuthenticationError, 401, lambda _e: ("token.missing", _("A token is needed.")))
    on(ScopeError, 403, lambda _e: ("token.scope", _("The scope of this token does not allow that. Make another one.")))
    on(Http404, 404, lambda _e: ("not_found", _("There is nothing there.")))
    on(PermissionDenied, 403, lambda _e: ("role", _("Your role in the team does not allow that.")))
    on(NameRefused, 422, lambda error: (error.code or "input", " ".join(error.messages)))
    on(StudioError, 409, lambda error: (error.code, error.reason))
    on(ConfigError, 422, lambda error: (error.code, error))
    on(ValidationError, 422, lambda error: ("input", _wrong(error)))


def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    """For want of consent, or of marks; the audit trail has it."""
    if isinstance(error, ConsentError):
        see_to_entry(request, error)
    return JsonResponse({"code": error.code, "text": error.text}, status=409)


def _wrong(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors)

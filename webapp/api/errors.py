"""What goes wrong, as the API says it: ``{"code", "text"}`` and a fitting status."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as NameRefused
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from faceengine.errors import ConfigError
from faceengine.jobs.permits import Refused
from webapp.consent.errors import ConsentError
from webapp.consent.middleware import see_to_entry
from webapp.request_values import wrong_body
from webapp.studio.errors import StudioError

_SHOWN, _MOST = 60, 10
"""Characters of a field's name, and fields, that an answer repeats."""


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
    on(AuthenticationError, 401, lambda _e: ("token.missing", _("This request needs an API token.")))
    on(
        ScopeError,
        403,
        lambda _e: (
            "token.scope",
            _("The scope of this token does not allow this. Create a token with a wider scope."),
        ),
    )
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(RawPostDataException, lambda request, _e: wrong_body(request))
    on(Http404, 404, lambda _e: ("not_found", _("This item does not exist, or you don't have access to it.")))
    on(PermissionDenied, 403, lambda _e: ("role", _("Your role in the team does not allow this.")))
    on(NameRefused, 422, lambda error: (error.code or "input", " ".join(error.messages)))
    on(StudioError, 409, lambda error: (error.code, error.reason))
    on(ConfigError, 422, lambda error: (error.code, error))
    on(ValidationError, 422, lambda error: ("input", _wrong(error)))


def _http_error(_request: HttpRequest, error: Any) -> HttpResponse:
    """Answer what ninja itself refuses: a body that is no JSON, and too many requests."""
    often = error.status_code == 429
    code, text = ("often", _("Too many requests. Wait a minute and try again.")) if often else ("input", str(error))
    return JsonResponse({"code": code, "text": text}, status=error.status_code)


def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    """For want of consent, or of marks; the audit trail has it."""
    if isinstance(error, ConsentError):
        see_to_entry(request, error)
    return JsonResponse({"code": error.code, "text": error.text}, status=409)


def _wrong(error: ValidationError) -> str:
    """Name each field that is wrong, and say why; names that a request made up are cut short."""
    return "; ".join(f"{'.'.join(str(part)[:_SHOWN] for part in one['loc'][1:])}: {one['msg']}" for one in _few(error))


def _few(error: ValidationError) -> list[dict[str, Any]]:
    return error.errors[:_MOST]

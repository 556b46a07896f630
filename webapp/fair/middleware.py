"""Notes whose request it is, and answers 429 or 503 with a code where there was no turn."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin

from webapp import clients
from webapp.fair import words
from webapp.fair.turns import BusyError


class FairMiddleware(MiddlewareMixin):
    """Comes after whatever signs a user in."""

    def process_view(self, request: HttpRequest, *_: object) -> None:
        clients.remember(request)

    def process_exception(self, _request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return busy(exception) if isinstance(exception, BusyError) else None


def busy(error: BusyError) -> HttpResponse:
    """Return the answer that ``error`` is."""
    text = str(words.MINE if error.mine else words.ALL)
    response = JsonResponse({"code": error.code, "text": text}, status=error.status)
    response["Retry-After"] = str(error.retry_after)
    response["Cache-Control"] = "no-store"
    return response

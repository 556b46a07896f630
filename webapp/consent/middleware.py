"""A refusal of the gate, wherever it is raised, is answered with 409: a page, or JSON for scripts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from faceengine.jobs.permits import Refused
from webapp.consent.errors import ConsentError
from webapp.consent.gate import is_remembered, remember


class ConsentMiddleware(MiddlewareMixin):
    """Answers :class:`Refused`, and sees to it that the audit trail has it.

    Like the rest of the middleware it can be awaited. One that can't makes the server's threads wait for its loop, and
    a server that is asked to end never does.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Called outside the transaction that the refusal has ended."""
        return refused(request, exception) if isinstance(exception, Refused) else None


def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    """The answer to ``request`` that ``error`` is: 409."""
    if isinstance(error, ConsentError):
        see_to_entry(request, error)
    said = {"code": error.code, "text": error.text}
    if "text/html" in request.headers.get("Accept", "text/html"):
        person, project = getattr(error, "person", None), getattr(error, "project", None)
        response = render(request, "consent/refused.html", said | {"person": person, "project": project}, status=409)
    else:
        response = JsonResponse(said, status=409)
    response["Cache-Control"] = "no-store"
    return response


def see_to_entry(request: HttpRequest, error: ConsentError) -> None:
    """Have the audit trail say that ``error`` happened, unless it does already."""
    if not is_remembered(error):
        remember(error, request.user)

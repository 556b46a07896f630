"""What somebody sees while they are signed in stays in no cache: after they sign out, nobody finds it there."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin


class NothingStaysMiddleware(MiddlewareMixin):
    """Marks answers to people and tokens ``private, no-store``, unless the view has said how long they keep.

    Pictures of faces say so themselves, and static files never come this far.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.has_header("Cache-Control") and _is_somebody(request):
            response["Cache-Control"] = "private, no-store"
        return response


def _is_somebody(request: HttpRequest) -> bool:
    user: Any = getattr(request, "user", None)
    return user is not None and user.is_authenticated

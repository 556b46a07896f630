"""What no request may send: text that no database stores, and keys that no row has. Refused before any view sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.request import RawPostDataException
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

LARGEST_KEY = 2**63 - 1
"""What a database's widest whole number holds. SQLite raises OverflowError beyond it, PostgreSQL DataError."""
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class RequestValuesMiddleware(MiddlewareMixin):
    """Answers 404 for an address with a number that no row has or with a NUL, 400 for a NUL in a query or form.

    PostgreSQL stores no NUL, so that the same text would be an error of the server there and a row with SQLite.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Drop cookies that can't be a session's key before anybody asks the database for it."""
        for name in [name for name, value in request.COOKIES.items() if not is_storable(value)]:
            del request.COOKIES[name]

    def process_view(
        self, request: HttpRequest, _view: Any, _arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> HttpResponse | None:
        """Called after the address is resolved, so that it knows which parts are numbers."""
        if any(isinstance(value, int) and value > LARGEST_KEY for value in named.values()):
            raise Http404
        if not all(is_storable(value) for value in named.values() if isinstance(value, str)):
            raise Http404
        return None if _all_storable(request.GET) and _is_good_form(request) else _refusal(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a form that was sent where something else is read: its body is used up by then."""
        return wrong_body(request) if isinstance(exception, RawPostDataException) else None


def is_storable(text: str) -> bool:
    """Return whether a database can store ``text``: it has no NUL, and no half of a character."""
    return _UNSTORABLE.search(text) is None


def parse_json(content: bytes | str) -> Any:
    """Return the JSON value. Raises ``ValueError`` or ``RecursionError`` for what is none, or has unstorable text.

    NaN and infinity are left to whoever knows the field: with its name the answer says more.
    """
    value = json.loads(content)
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and not is_storable(one):
            raise ValueError("text with a NUL or half a character")
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
    return value


def _all_storable(fields: Any) -> bool:
    """Whether all names and values of a query or form are."""
    lists: Iterable[tuple[str, list[Any]]] = fields.lists()
    return all(is_storable(text) for name, values in lists for text in (name, *values) if isinstance(text, str))


def _is_good_form(request: HttpRequest) -> bool:
    if request.method != "POST" or request.content_type not in _FORMS:
        return True
    with suppress(UnreadablePostError):  # whoever sent it is gone; CSRF's middleware says the same
        return _all_storable(request.POST)
    return True


def wrong_body(request: HttpRequest) -> HttpResponse:
    """Answer 400 to a form that is none of the studio's."""
    return _bad_request(request, _("This URL does not accept form data. Send JSON, or the bytes of a file."))


def _refusal(request: HttpRequest) -> HttpResponse:
    return _bad_request(request, _("The request contains a character that can't be stored (NUL)."))


def _bad_request(request: HttpRequest, text: str) -> HttpResponse:
    if "text/html" in request.headers.get("Accept", ""):
        return render(request, "400.html", {"reason": text}, status=400)
    return JsonResponse({"code": "input", "text": text}, status=400)

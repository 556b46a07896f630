"""What the views of the room share: the set through the user's access, what a browser sends, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from webapp.consent.gate import Act, require_consent
from webapp.curation.models import FaceSet
from webapp.curation.selection import BadSelectionError, View
from webapp.projects.access import Verb, get_project
from webapp.projects.models import Person
from webapp.request_values import parse_json

SetView = Callable[..., HttpResponse]


def get_person(request: HttpRequest, project_id: int, side: str, verb: Verb = Verb.VIEW) -> Person:
    """The person with its project and team, if the user may do ``verb`` with it; 404 or 403 otherwise.

    Raises :class:`ConsentError`.
    """
    project = get_project(request.user, project_id, verb)
    require_consent(project, Act.PREVIEW, request.user)
    person = get_object_or_404(Person, project=project, side=side)
    person.project = project
    return person


def get_face_set(request: HttpRequest, project_id: int, side: str, verb: Verb = Verb.VIEW) -> FaceSet:
    """The person's crops, if the user may do ``verb`` with them; 404 or 403 otherwise. Raises :class:`ConsentError`."""
    project = get_project(request.user, project_id, verb)
    require_consent(project, Act.PREVIEW, request.user)
    found = FaceSet.objects.select_related("person").filter(person__project=project, person__side=side)
    face_set: FaceSet = get_object_or_404(found)
    face_set.person.project = project
    return face_set


def reads(view: SetView) -> SetView:
    """For views ``(request, face_set, …)`` that anybody of the team may see."""
    return require_safe(login_required(_with_set(view, Verb.VIEW)))


def posts(verb: Verb) -> Callable[[SetView], SetView]:
    """For views ``(request, face_set, …)`` that are posted to by who may do ``verb``."""
    return lambda view: require_POST(login_required(_with_set(view, verb)))


def _with_set(view: SetView, verb: Verb) -> SetView:
    @wraps(view)
    def with_set(request: HttpRequest, project_id: int, side: str, **rest: Any) -> HttpResponse:
        try:
            return view(request, get_face_set(request, project_id, side, verb), **rest)
        except BadSelectionError as error:
            return JsonResponse({"code": "bad", "text": str(error)}, status=400)

    return with_set


def view_of(request: HttpRequest) -> View:
    """The view in the address; raises :class:`BadSelectionError`."""
    return View.from_json(_parsed(request.GET.get("view") or "{}"), request.user.pk)


def sent(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was posted; raises :class:`BadSelectionError`."""
    content = _parsed(request.body)
    if not isinstance(content, dict):
        raise BadSelectionError("an object was expected")
    return content


def number_in(raw: Any, name: str, *, high: int = 2**31 - 1) -> int:
    """A whole number from 0 to ``high`` that a browser sent as ``name``; raises :class:`BadSelectionError`."""
    try:
        number = int(raw)
    except (TypeError, ValueError, OverflowError):
        raise BadSelectionError(f"{name} is no whole number") from None
    if not 0 <= number <= high:
        raise BadSelectionError(f"{name} must be from 0 to {high}")
    return number


def _parsed(text: str | bytes) -> Any:
    try:
        return parse_json(text)
    except (ValueError, RecursionError):
        raise BadSelectionError("that is no JSON") from None

"""What people do in the room: verdicts, undo, disputes, the best, the rule, and who takes which crops."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.curation import slices, tiles
from webapp.curation.best import keep_best, thin_out
from webapp.curation.models import FaceSet, Rule, Value
from webapp.curation.requests import number_in, posts, sent
from webapp.curation.selection import PAGE, BadSelectionError, Selection, View
from webapp.curation.verdicts import (
    NothingToUndoError,
    StalePageError,
    change_rule,
    decide,
    settle,
    undo,
)
from webapp.projects.access import Verb


@posts(Verb.REVIEW)
def decide_crops(request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """Keep, reject or clear a selection. 409 with what has changed, if it holds another number of crops than shown."""
    content = sent(request)
    selection = Selection.from_json(content.get("selection"), request.user.pk)
    value, seen = _value(content), number_in(content.get("seen"), "seen")
    try:
        batch = decide(face_set, request.user, selection, value, seen)
    except StalePageError as stale:
        known = tiles.changes(face_set, request.user, seen)
        refusal = {"code": "stale", "count": stale.count, "changed": stale.changed}
        return JsonResponse(refusal | known, status=409)
    return _done(request, face_set, seen, len(batch.former))


@posts(Verb.REVIEW)
def undo_decision(request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """Take the person's newest decision back. 409, if there is none."""
    seen = number_in(sent(request).get("seen"), "seen")
    try:
        batch = undo(face_set, request.user)
    except NothingToUndoError:
        return JsonResponse({"code": "nothing"}, status=409)
    return _done(request, face_set, seen, len(batch.former))


@posts(Verb.EDIT)
def settle_crops(request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """Say the last word on disputed crops, or take it back."""
    content = sent(request)
    selection = Selection.from_json(content.get("selection"), request.user.pk)
    seen = number_in(content.get("seen"), "seen")
    crops = list(selection.crops(face_set).values_list("pk", flat=True))
    settle(face_set, request.user, crops, _value(content))
    return _done(request, face_set, seen, len(crops))


@posts(Verb.EDIT)
def best(request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """Keep the best ``count`` and reject the rest; or, without a count, the best of each group of near duplicates."""
    content = sent(request)
    seen = number_in(content.get("seen"), "seen")
    if "count" in content:
        batch = keep_best(face_set, request.user, number_in(content["count"], "count"))
    else:
        group = content.get("group")
        batch = thin_out(face_set, request.user, None if group is None else number_in(group, "group"))
    return _done(request, face_set, seen, len(batch.former))


@posts(Verb.REVIEW)
def presence(request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """The person is there, or leaves."""
    (slices.stay if sent(request).get("here") else slices.leave)(face_set, request.user)
    return JsonResponse({"present": tiles.present(face_set, request.user)})


@posts(Verb.REVIEW)
def take_slice(request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """Crops for this person alone to judge next."""
    return JsonResponse({"numbers": slices.next_slice(face_set, request.user)})


@posts(Verb.REVIEW)
def form(request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """The decision of a page without scripts: check boxes and a button."""
    value = request.POST.get("value", "")
    if value == "undo":
        _undo_plainly(request, face_set)
    elif value in ("", *Value.values):
        numbers = tuple(number_in(number, "crop") for number in request.POST.getlist("crop")[:PAGE])
        count = len(decide(face_set, request.user, Selection(View(), numbers), value or None).former)
        messages.success(
            request,
            ngettext("Saved your verdict on %(n)d crop.", "Saved your verdict on %(n)d crops.", count) % {"n": count},
        )
    else:
        raise BadSelectionError(f"no verdict {value}")
    back = {name: request.POST[name] for name in ("view", "after") if request.POST.get(name)}
    return redirect(f"{_room(face_set)}?{urlencode(back)}")


@posts(Verb.EDIT)
def rule(request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """Change how verdicts make a crop's state."""
    wanted, needed = request.POST.get("rule"), number_in(request.POST.get("needed") or 2, "needed", high=9)
    if wanted not in Rule.values or needed < 1:
        raise BadSelectionError("no such rule")
    change_rule(face_set, request.user, wanted, needed)
    messages.success(request, _("The rule was changed. The states of all crops are updated."))
    return redirect(_room(face_set))


def _undo_plainly(request: HttpRequest, face_set: FaceSet) -> None:
    try:
        undo(face_set, request.user)
    except NothingToUndoError:
        messages.warning(request, _("There is nothing to undo."))


def _room(face_set: FaceSet) -> str:
    return reverse("curation:room", args=[face_set.person.project_id, face_set.person.side])


def _value(content: dict[str, Any]) -> str | None:
    value: str | None = content.get("value")
    if value is not None and value not in Value.values:
        raise BadSelectionError(f"no verdict {str(value)[:40]}")
    return value


def _done(request: HttpRequest, face_set: FaceSet, seen: int, count: int) -> HttpResponse:
    return JsonResponse({"count": count} | tiles.changes(face_set, request.user, seen))

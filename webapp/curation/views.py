"""What the room shows: the page, its tiles, what changed, one crop, and pictures."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from webapp.curation import figures, pictures, tiles
from webapp.curation.alike import NoEmbeddingsError, alike
from webapp.curation.models import Crop, CropState, FaceSet, Rule
from webapp.curation.requests import get_person, number_in, posts, reads, sent, view_of
from webapp.curation.selection import BadSelectionError, Selection, View
from webapp.curation.words import MEASURES, SORTS, WARNED, texts
from webapp.projects.access import REACH, Verb, role_of

ALIKE = 200
_DAY = "private, max-age=86400, immutable"
"""What is withdrawn is gone from the browsers of members within a day too."""


@require_safe
@login_required
def room(request: HttpRequest, project_id: int, side: str) -> HttpResponse:
    """The grid of a person's crops, with the first of them; without scripts a form of check boxes."""
    person = get_person(request, project_id, side)
    people = list(person.project.people.select_related("face_set"))
    face_set: FaceSet | None = next((getattr(one, "face_set", None) for one in people if one.pk == person.pk), None)
    context = {"person": person, "people": people, "side": side}
    if face_set is None:
        return render(request, "curation/empty.html", context)
    face_set.person = person
    return render(request, "curation/room.html", context | _room(request, face_set))


def _room(request: HttpRequest, face_set: FaceSet) -> dict[str, Any]:
    role = role_of(request.user, face_set.person.project.team_id)
    reach = REACH[role].value if role else 0
    raw, view = request.GET.get("view", "{}"), _view_or_all(request)
    first = tiles.page(face_set, request.user, view, _after_or_start(request))
    counts = figures.counts(face_set)
    may_review, may_edit = reach >= Verb.REVIEW.value, reach >= Verb.EDIT.value
    return {
        "face_set": face_set,
        "warnings": [one for one in face_set.summary.get("advice", []) if one["code"] in WARNED],
        "first": first,
        "next": urlencode({"view": raw, "after": first["tiles"][-1][0]}) if first["more"] else "",
        "states": [(state.value, state.label, counts[state]) for state in CropState],
        "total": sum(counts.values()),
        "links": [(state.label, urlencode({"view": json.dumps({"states": [state.value]})})) for state in CropState],
        "sorts": SORTS,
        "measure_words": {name: str(text) for name, text in MEASURES.items()},
        "rules": Rule.choices,
        "may_review": may_review,
        "may_edit": may_edit,
        "start": first | {"revision": face_set.revision, "counts": counts, "view": raw},
        "texts": texts(),
        "sizes": pictures.SIZES,
    }


def _view_or_all(request: HttpRequest) -> View:
    """The view in the address; everything, if somebody has garbled it."""
    try:
        return view_of(request)
    except BadSelectionError:
        return View()


def _after_or_start(request: HttpRequest) -> int | None:
    """The crop in the address that the page begins behind; the start, if somebody has garbled it."""
    try:
        return number_in(request.GET.get("after"), "after")
    except BadSelectionError:
        return None


@reads
def tiles_of_a_page(request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """The next tiles of a view."""
    after = request.GET.get("after")
    place = None if after is None else number_in(after, "after")
    return JsonResponse(tiles.page(face_set, request.user, view_of(request), place))


@reads
def changes(request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """What changed after the revision that a page has."""
    return JsonResponse(tiles.changes(face_set, request.user, number_in(request.GET.get("since"), "since")))


@reads
def measures(_request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """How each measure is spread over the set, and the videos and photos that crops are from."""
    inputs = Crop.objects.filter(face_set=face_set).order_by("input").values_list("input", flat=True).distinct()
    return JsonResponse({"histograms": figures.histograms(face_set), "inputs": list(inputs)})


@posts(Verb.VIEW)
def count(request: HttpRequest, face_set: FaceSet) -> HttpResponse:
    """How many crops a selection holds now, and the last one of its view. Posted, for a selection may be long."""
    selection = Selection.from_json(sent(request), request.user.pk)
    last = selection.view.ordered(face_set).values_list("number", flat=True).last()
    return JsonResponse({"count": selection.crops(face_set).count(), "last": last})


@reads
def crop(_request: HttpRequest, face_set: FaceSet, number: int) -> HttpResponse:
    """All that is known of one crop."""
    return JsonResponse(tiles.details(_crop(face_set, number=number)))


@reads
def alike_crops(request: HttpRequest, face_set: FaceSet, number: int) -> HttpResponse:
    """Tiles of the crops that look most like one, nearest first."""
    try:
        numbers = alike(face_set, number, ALIKE)
    except NoEmbeddingsError:
        return JsonResponse({"code": "unlike", "text": _("Similarity can't be measured for these faces.")}, status=404)
    found = {tile[0]: tile for tile in tiles.tiles(View(numbers=tuple(numbers)).filtered(face_set), request.user)}
    return JsonResponse({"tiles": [found[number] for number in numbers if number in found], "more": False})


@reads
def small(_request: HttpRequest, face_set: FaceSet, size: int, crop_id: int) -> HttpResponse:
    """A tile's picture. Its address never shows anything else, so that browsers may keep it for a while."""
    if size not in pictures.SIZES:
        raise Http404
    return _picture(pictures.small, _crop(face_set, pk=crop_id), size, kind="image/webp", cached=_DAY)


@reads
def large(_request: HttpRequest, face_set: FaceSet, number: int) -> HttpResponse:
    """The crop as it was cut out."""
    return _picture(pictures.large, _crop(face_set, number=number), kind="image/png")


@reads
def frame(_request: HttpRequest, face_set: FaceSet, number: int) -> HttpResponse:
    """The frame that a crop is from."""
    return _picture(pictures.frame, _crop(face_set, number=number), kind="image/webp")


def _picture(make: Any, *of: Any, kind: str, cached: str = "private, max-age=600") -> HttpResponse:
    try:
        content = make(*of)
    except pictures.NoPictureError:
        raise Http404 from None
    headers = {"Cache-Control": cached, "Content-Disposition": "inline"}
    return HttpResponse(content, content_type=kind, headers=headers)


def _crop(face_set: FaceSet, **which: int) -> Crop:
    found: Crop = get_object_or_404(Crop, face_set=face_set, **which)
    found.face_set = face_set
    return found

"""Crops as the grid gets them: few and short fields, thousands at a time."""

from __future__ import annotations

from typing import Any

from django.db.models import F, FilteredRelation, Q, QuerySet

from webapp.curation import figures, slices
from webapp.curation.models import Crop, FaceSet, Verdict
from webapp.curation.selection import MEASURES, PAGE, View

FIELDS = ("number", "pk", "state", "mine", "revision")
"""Of a tile, in this order. ``mine`` is what the person who asks said: ``keep``, ``reject`` or null."""


def page(face_set: FaceSet, user: Any, view: View, after: int | None = None) -> dict[str, Any]:
    """The next tiles after crop ``after``, and whether there may be more."""
    found = list(tiles(view.beyond(face_set, after), user)[:PAGE])
    return {"tiles": found, "more": len(found) == PAGE}


def changes(face_set: FaceSet, user: Any, since: int) -> dict[str, Any]:
    """What a page that has revision ``since`` doesn't know yet, and who else is there."""
    face_set.refresh_from_db(fields=["revision"])
    told: dict[str, Any] = {"revision": face_set.revision, "present": present(face_set, user)}
    if face_set.revision != since:
        changed = Crop.objects.filter(face_set=face_set, revision__gt=since, revision__lte=face_set.revision)
        told |= {"tiles": list(tiles(changed, user)), "counts": figures.counts(face_set)}
    return told


def tiles(crops: QuerySet[Crop], user: Any) -> QuerySet[Crop, tuple[Any, ...]]:
    """The crops' :data:`FIELDS`."""
    own = FilteredRelation("verdicts", condition=Q(verdicts__user=user))
    return crops.annotate(own=own, mine=F("own__value")).values_list(*FIELDS)


def present(face_set: FaceSet, user: Any) -> list[str]:
    """E-mail addresses of the others who are looking at the set now."""
    return [one.user.email for one in slices.present(face_set) if one.user_id != user.pk]


def details(crop: Crop) -> dict[str, Any]:
    """All that is known of one crop, and who said what of it."""
    said = Verdict.objects.filter(crop=crop).select_related("user").order_by("at", "pk")
    names = ("number", "pk", "input", "frame", "time", "box", "width", "height", "state", "settled", "near_duplicates")
    known: dict[str, Any] = {name: getattr(crop, name) for name in names}
    return known | {
        "measures": {name: getattr(crop, name) for name in MEASURES},
        "verdicts": [{"by": verdict.user.email, "value": verdict.value} for verdict in said],
    }

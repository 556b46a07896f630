"""How the measures of a set are spread, and how many of its crops are where."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.core.cache import cache
from django.db.models import Count, Max

from webapp.curation.models import Crop, CropState, FaceSet
from webapp.curation.selection import MEASURES

BINS = 32
_HOUR = 3600


@dataclass(frozen=True)
class Histogram:
    """How many crops lie in each of :data:`BINS` equal parts between the lowest and the highest value."""

    low: float
    high: float
    counts: list[int]


def counts(face_set: FaceSet) -> dict[str, int]:
    """How many crops are in each state; every state is there."""
    found = Crop.objects.filter(face_set=face_set).order_by().values_list("state").annotate(Count("pk"))
    return dict.fromkeys(CropState.values, 0) | dict(found)


def histograms(face_set: FaceSet) -> dict[str, dict[str, object]]:
    """Measure → its histogram over the whole set. They change only when crops come in."""
    crops = Crop.objects.filter(face_set=face_set)
    newest = crops.aggregate(count=Count("pk"), last=Max("pk"))
    key = f"histograms:{face_set.pk}:{newest['count']}:{newest['last']}"
    known: dict[str, dict[str, object]] | None = cache.get(key)
    if known is None:
        columns = zip(*crops.values_list(*MEASURES), strict=True)
        known = {name: asdict(_histogram(values)) for name, values in zip(MEASURES, columns, strict=False)}
        cache.set(key, known, _HOUR)
    return known


def _histogram(values: tuple[float, ...]) -> Histogram:
    low, high = min(values), max(values)
    width = (high - low) / BINS or 1.0
    filled = [0] * BINS
    for value in values:
        filled[min(BINS - 1, int((value - low) / width))] += 1
    return Histogram(low, high, filled)

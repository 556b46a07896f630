"""Which crops are meant, in which order: filters, sorts, and selections over tiles that no page has loaded.

A *view* is a filter and a sort. A *selection* is a view and either some numbers, the stretch between two crops of the
view, or all of it but some numbers. Both are plain JSON, come from a browser, and are resolved here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from django.db.models import F, Q, QuerySet

from webapp.curation.models import Crop, CropState, FaceSet

MEASURES = (
    *("sharpness", "brightness", "face_size", "outside", "yaw", "pitch", "roll", "score", "distance", "suspicion"),
)
SORTS = ("number", "time", "near_duplicates", *MEASURES)
PAGE = 200
MOST = 10_000
"""Crops that a view or selection may name one by one."""


class BadSelectionError(ValueError):
    """A view or selection that can't be understood; the text says what of it."""


@dataclass(frozen=True)
class View:
    """What is shown, and in which order."""

    states: tuple[str, ...] = ()
    """Empty: all."""
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    """Measure → lowest and highest value, each inclusive or open."""
    input: str = ""
    group: int | None = None
    """Only the near duplicates of this crop."""
    numbers: tuple[int, ...] | None = None
    """Only these: a slice, or crops that look alike."""
    undecided_by: int | None = None
    """Only those on which this user has not said anything."""
    sort: str = "number"
    descending: bool = False

    @classmethod
    def from_json(cls, raw: Any, user_id: int | None = None) -> View:
        """Read a browser's view; raises :class:`BadSelectionError`."""
        if not isinstance(raw, Mapping):
            raise BadSelectionError("a view must be an object")
        known = {"states", "ranges", "input", "group", "numbers", "undecided", "sort", "descending"}
        if unknown := sorted(set(raw) - known):
            raise BadSelectionError(f"a view has no {', '.join(unknown)}")
        sort = raw.get("sort", "number")
        if sort not in SORTS:
            raise BadSelectionError(f"no sort by {sort}")
        states = tuple(_list(raw.get("states")))
        if bad := [state for state in states if state not in CropState.values]:
            raise BadSelectionError(f"no state {bad[0]}")
        numbers, ranges = raw.get("numbers"), raw.get("ranges") or {}
        if not isinstance(ranges, Mapping):
            raise BadSelectionError("ranges must be an object")
        return cls(
            states=states,
            ranges={name: _range(name, limits) for name, limits in ranges.items()},
            input=str(raw.get("input") or ""),
            group=None if raw.get("group") is None else _whole(raw["group"]),
            numbers=None if numbers is None else _numbers(numbers),
            undecided_by=user_id if raw.get("undecided") else None,
            sort=sort,
            descending=bool(raw.get("descending")),
        )

    def filtered(self, face_set: FaceSet) -> QuerySet[Crop]:
        """The crops of the view, in no order."""
        crops = Crop.objects.filter(face_set=face_set)
        if self.states:
            crops = crops.filter(state__in=self.states)
        for name, (low, high) in self.ranges.items():
            if low is not None:
                crops = crops.filter(**{f"{name}__gte": low})
            if high is not None:
                crops = crops.filter(**{f"{name}__lte": high})
        if self.input:
            crops = crops.filter(input=self.input)
        if self.group is not None:
            crops = crops.filter(near_duplicates=self.group)
        if self.numbers is not None:
            crops = crops.filter(number__in=self.numbers)
        if self.undecided_by is not None:
            crops = crops.exclude(verdicts__user=self.undecided_by)
        return crops

    def ordered(self, face_set: FaceSet) -> QuerySet[Crop]:
        """The crops of the view in its order. Equal values follow their numbers, so that every crop has one place."""
        key = F(self.sort).desc() if self.descending else F(self.sort).asc()
        return self.filtered(face_set).order_by(key, "number")

    def beyond(self, face_set: FaceSet, after: int | None = None) -> QuerySet[Crop]:
        """The crops after crop ``after`` (which need not be in the view any more), or all, in the view's order."""
        crops = self.ordered(face_set)
        return crops if after is None else crops.filter(self._beyond(_place(face_set, after, self.sort)))

    def stretch(self, face_set: FaceSet, start: int, end: int) -> QuerySet[Crop]:
        """The crops between two, both included, whichever comes first; loaded in a page or not."""
        first, last = _place(face_set, start, self.sort), _place(face_set, end, self.sort)
        if self._is_after(first, last):
            first, last = last, first
        inside = ~self._beyond(last) & (self._beyond(first) | Q(number=first[1]))
        return self.filtered(face_set).filter(inside)

    def _beyond(self, place: tuple[Any, int]) -> Q:
        """Everything that comes after ``place`` in this order."""
        value, number = place
        comparison = "lt" if self.descending else "gt"
        return Q(**{f"{self.sort}__{comparison}": value}) | Q(**{self.sort: value, "number__gt": number})

    def _is_after(self, one: tuple[Any, int], other: tuple[Any, int]) -> bool:
        if one[0] == other[0]:
            return one[1] > other[1]
        return bool((one[0] < other[0]) if self.descending else (one[0] > other[0]))


@dataclass(frozen=True)
class Selection:
    """Crops that somebody has chosen."""

    view: View
    numbers: tuple[int, ...] = ()
    """These, when nothing else is given; or besides the stretch."""
    stretch: tuple[int, int] | None = None
    all_but: tuple[int, ...] | None = None
    """Everything in the view but these."""
    expected: int | None = None
    """How many the person was told; a different number now means that the page is stale."""

    @classmethod
    def from_json(cls, raw: Any, user_id: int | None = None) -> Selection:
        """Read a browser's selection; raises :class:`BadSelectionError`."""
        if not isinstance(raw, Mapping):
            raise BadSelectionError("a selection must be an object")
        stretch, all_but = _numbers(raw.get("stretch")), raw.get("all_but")
        if len(stretch) not in (0, 2):
            raise BadSelectionError("a stretch has two ends")
        return cls(
            view=View.from_json(raw.get("view") or {}, user_id),
            numbers=_numbers(raw.get("numbers")),
            stretch=(stretch[0], stretch[1]) if stretch else None,
            all_but=None if all_but is None else _numbers(all_but),
            expected=None if raw.get("expected") is None else _whole(raw["expected"]),
        )

    def crops(self, face_set: FaceSet) -> QuerySet[Crop]:
        """The chosen crops, in no order."""
        if self.all_but is not None:
            return self.view.filtered(face_set).exclude(number__in=self.all_but)
        chosen = Q(number__in=self.numbers)
        if self.stretch is None:
            return Crop.objects.filter(face_set=face_set).filter(chosen)
        between = self.view.stretch(face_set, *self.stretch).values("pk")
        return Crop.objects.filter(face_set=face_set).filter(chosen | Q(pk__in=between))


def _place(face_set: FaceSet, number: int, sort: str) -> tuple[Any, int]:
    value = Crop.objects.filter(face_set=face_set, number=number).values_list(sort, flat=True).first()
    if value is None:
        raise BadSelectionError(f"no crop {number}")
    return value, number


def _range(name: str, limits: Any) -> tuple[float | None, float | None]:
    if name not in MEASURES:
        raise BadSelectionError(f"no measure {name}")
    try:
        low, high = (None if limit is None else float(limit) for limit in limits)
    except (TypeError, ValueError) as error:
        raise BadSelectionError(f"{name} needs a lowest and a highest value") from error
    if not all(limit is None or isfinite(limit) for limit in (low, high)):
        raise BadSelectionError(f"{name} needs finite values")
    return low, high


def _list(raw: Any) -> list[Any]:
    if raw is None:
        return []
    if not isinstance(raw, list) or len(raw) > MOST:
        raise BadSelectionError(f"not a list of at most {MOST}: {str(raw)[:40]}")
    return raw


def _numbers(raw: Any) -> tuple[int, ...]:
    return tuple(map(_whole, _list(raw)))


def _whole(value: Any) -> int:
    # A database's whole numbers end somewhere.
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise BadSelectionError(f"not a whole number of a crop: {str(value)[:40]!r}")
    return value

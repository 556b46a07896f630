"""Filters, orders and selections, against a plain list that is filtered and sorted in Python."""

from __future__ import annotations

from typing import Any

import pytest
from curation_sets import face_set_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webapp.curation.models import Crop, CropState, FaceSet
from webapp.curation.selection import SORTS, BadSelectionError, Selection, View

COUNT = 60


@pytest.fixture
def face_set(db: None) -> FaceSet:
    made = face_set_of(COUNT)
    Crop.objects.filter(number__lt=20).update(state=CropState.KEPT)
    Crop.objects.filter(number__gt=50).update(state=CropState.REJECTED)
    return made


VIEWS = st.fixed_dictionaries(
    {"sort": st.sampled_from(SORTS), "descending": st.booleans()},
    optional={
        "states": st.lists(st.sampled_from(CropState.values), max_size=3),
        "ranges": st.dictionaries(
            st.sampled_from(["sharpness", "yaw", "suspicion"]),
            st.tuples(st.none() | st.integers(-50, 3), st.none() | st.integers(0, 60)),
        ),
        "input": st.sampled_from(["", "one.mp4"]),
    },
)
NUMBERS = st.integers(1, COUNT)


def plainly(raw: dict[str, Any]) -> list[int]:
    """The numbers of a view, the plain way."""
    crops = sorted(Crop.objects.all(), key=lambda crop: crop.number)
    crops.sort(key=lambda crop: getattr(crop, raw["sort"]), reverse=raw["descending"])
    return [crop.number for crop in crops if _shown(crop, raw)]


def _shown(crop: Crop, raw: dict[str, Any]) -> bool:
    within = all(
        (low is None or getattr(crop, name) >= low) and (high is None or getattr(crop, name) <= high)
        for name, (low, high) in raw.get("ranges", {}).items()
    )
    states, source = raw.get("states"), raw.get("input")
    return within and (not states or crop.state in states) and (not source or crop.input == source)


several = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@several
@given(raw=VIEWS, limit=st.integers(1, 70))
def test_pages_one_after_the_other_are_the_whole_view_in_order(
    face_set: FaceSet, raw: dict[str, Any], limit: int
) -> None:
    view, pages, after = View.from_json(raw), [], None
    while page := list(view.beyond(face_set, after)[:limit]):
        pages += [crop.number for crop in page]
        after = pages[-1]
    assert pages == plainly(raw)


@several
@given(raw=VIEWS, start=NUMBERS, end=NUMBERS)
def test_a_stretch_is_what_lies_between_its_ends_in_that_order(
    face_set: FaceSet, raw: dict[str, Any], start: int, end: int
) -> None:
    everything = plainly({"sort": raw["sort"], "descending": raw["descending"]})
    low, high = sorted([everything.index(start), everything.index(end)])
    between = set(everything[low : high + 1]) & set(plainly(raw))
    found = View.from_json(raw).stretch(face_set, start, end)
    assert set(found.values_list("number", flat=True)) == between


@several
@given(raw=VIEWS, but=st.sets(NUMBERS, max_size=10))
def test_everything_but_some_is_the_view_without_them(face_set: FaceSet, raw: dict[str, Any], but: set[int]) -> None:
    selection = Selection.from_json({"view": raw, "all_but": sorted(but)})
    assert set(selection.crops(face_set).values_list("number", flat=True)) == set(plainly(raw)) - but


def test_the_next_page_is_found_after_a_crop_that_has_left_the_view(face_set: FaceSet) -> None:
    view = View(states=(CropState.NEW,))
    first = list(view.beyond(face_set)[:10])
    Crop.objects.filter(number__lte=first[-1].number).update(state=CropState.KEPT)
    assert view.beyond(face_set, first[-1].number)[0].number == first[-1].number + 1


def test_a_set_sees_nothing_of_another(face_set: FaceSet) -> None:
    other = FaceSet.objects.create(person=face_set.person.project.people.get(side="b"))
    assert list(View().beyond(other)) == []
    with pytest.raises(BadSelectionError):
        View().beyond(other, 1)


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {"sort": "password"},
        {"states": ["lost"]},
        {"ranges": {"state": [0, 1]}},
        {"ranges": {"yaw": [0]}},
        {"ranges": {"yaw": ["x", 1]}},
        {"numbers": [{}]},
        {"numbers": [True]},
        {"face_set": 3},
    ],
)
def test_a_view_that_makes_no_sense_is_refused(raw: Any) -> None:
    with pytest.raises(BadSelectionError):
        View.from_json(raw)


@pytest.mark.parametrize("raw", [None, {"stretch": [1]}, {"numbers": ["x"]}, {"expected": "many"}])
def test_a_selection_that_makes_no_sense_is_refused(raw: Any) -> None:
    with pytest.raises(BadSelectionError):
        Selection.from_json(raw)

"""Verdicts of one person and of several: states, undo, disputes, slices, the best N."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from curation_sets import face_set_of, member, owner_of
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webapp.accounts.models import User
from webapp.curation.best import choose_best, keep_best
from webapp.curation.models import Crop, CropState, FaceSet, Rule, Slice, Verdict
from webapp.curation.selection import Selection, View
from webapp.curation.slices import leave, next_slice, present, stay
from webapp.curation.verdicts import (
    NothingToUndoError,
    StalePageError,
    change_rule,
    changed_numbers,
    decide,
    settle,
    undo,
)

COUNT = 12


@pytest.fixture
def face_set(db: None) -> FaceSet:
    return face_set_of(COUNT)


@pytest.fixture
def ann(face_set: FaceSet) -> User:
    return member(face_set, "ann@example.org")


@pytest.fixture
def ben(face_set: FaceSet) -> User:
    return member(face_set, "ben@example.org")


def these(*numbers: int) -> Selection:
    return Selection(View(), numbers)


def state(face_set: FaceSet, number: int) -> str:
    return Crop.objects.get(face_set=face_set, number=number).state


def says(user: User) -> dict[int, str]:
    return dict(Verdict.objects.filter(user=user).values_list("crop__number", "value"))


def test_a_verdict_is_set_not_toggled(face_set: FaceSet, ann: User) -> None:
    for _ in range(2):
        decide(face_set, ann, these(3), "reject")
        assert state(face_set, 3) == CropState.REJECTED
    decide(face_set, ann, these(3), None)
    assert state(face_set, 3) == CropState.NEW


@pytest.mark.parametrize(
    ("rule", "needed", "given", "expected"),
    [
        (Rule.FIRST, 1, ["keep"], CropState.KEPT),
        (Rule.FIRST, 1, ["keep", "keep"], CropState.KEPT),
        (Rule.FIRST, 1, ["keep", "reject"], CropState.DISPUTED),
        (Rule.MAJORITY, 2, ["keep"], CropState.NEW),
        (Rule.MAJORITY, 2, ["reject", "reject"], CropState.REJECTED),
        (Rule.MAJORITY, 2, ["keep", "reject"], CropState.DISPUTED),
        (Rule.MAJORITY, 3, ["keep", "reject"], CropState.NEW),
        (Rule.MAJORITY, 3, ["keep", "reject", "keep"], CropState.KEPT),
        (Rule.ANY_REJECT, 1, ["keep", "keep"], CropState.KEPT),
        (Rule.ANY_REJECT, 1, ["keep", "reject", "keep"], CropState.REJECTED),
    ],
)
def test_the_rule_makes_the_state(face_set: FaceSet, rule: str, needed: int, given: list[str], expected: str) -> None:
    change_rule(face_set, owner_of(face_set), rule, needed)
    for place, value in enumerate(given):
        decide(face_set, member(face_set, f"reviewer{place}@example.org"), these(5), value)
    assert state(face_set, 5) == expected
    assert state(face_set, 6) == CropState.NEW


def test_another_rule_derives_every_state_anew(face_set: FaceSet, ann: User, ben: User) -> None:
    decide(face_set, ann, these(1, 2), "keep")
    decide(face_set, ben, these(2), "reject")
    change_rule(face_set, owner_of(face_set), Rule.ANY_REJECT, 1)
    assert (state(face_set, 1), state(face_set, 2)) == (CropState.KEPT, CropState.REJECTED)


def test_the_last_word_ends_a_dispute_and_can_be_taken_back(face_set: FaceSet, ann: User, ben: User) -> None:
    decide(face_set, ann, these(4), "keep")
    decide(face_set, ben, these(4), "reject")
    crop = Crop.objects.get(face_set=face_set, number=4)
    settle(face_set, ann, [crop.pk], "keep")
    assert state(face_set, 4) == CropState.KEPT
    decide(face_set, ben, these(4), "reject")
    assert state(face_set, 4) == CropState.KEPT
    settle(face_set, ann, [crop.pk], None)
    assert state(face_set, 4) == CropState.DISPUTED


decisions = st.tuples(
    st.booleans(), st.sets(st.integers(1, COUNT), min_size=1), st.sampled_from(["keep", "reject", None])
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(decisions, max_size=8))
def test_undoing_everything_leads_back_exactly_whatever_others_do(
    face_set: FaceSet, ann: User, ben: User, history: list[tuple[bool, set[int], str | None]]
) -> None:
    before = []
    for by_ann, numbers, value in history:
        if by_ann:
            before.append(says(ann))
        decide(face_set, ann if by_ann else ben, these(*numbers), value)
    bens = says(ben)
    for expected in reversed(before):
        undo(face_set, ann)
        assert says(ann) == expected
        assert says(ben) == bens
    with pytest.raises(NothingToUndoError):
        undo(face_set, ann)
    while bens and says(ben):
        try:
            undo(face_set, ben)
        except NothingToUndoError:
            break
    assert set(Crop.objects.values_list("state", flat=True)) == {CropState.NEW}


def test_a_decision_on_another_number_of_crops_than_was_shown_changes_nothing(
    face_set: FaceSet, ann: User, ben: User
) -> None:
    seen = face_set.revision
    everything_new = View(states=(CropState.NEW,))
    decide(face_set, ben, these(2, 7), "reject")
    with pytest.raises(StalePageError) as refused:
        decide(face_set, ann, Selection(everything_new, all_but=(1,), expected=COUNT - 1), "reject", seen)
    assert refused.value.changed == [2, 7]
    assert refused.value.count == COUNT - 3
    assert says(ann) == {}


def test_a_page_learns_what_is_new_to_it_and_nothing_else(face_set: FaceSet, ann: User, ben: User) -> None:
    decide(face_set, ann, these(1), "keep")
    seen = FaceSet.objects.get(pk=face_set.pk).revision
    decide(face_set, ben, these(5, 9), "keep")
    assert changed_numbers(face_set, seen) == [5, 9]


def test_two_reviewers_get_different_slices_and_their_own_again(face_set: FaceSet, ann: User, ben: User) -> None:
    hers, his = next_slice(face_set, ann, 4), next_slice(face_set, ben, 4)
    assert len(hers) == len(his) == 4
    assert not set(hers) & set(his)
    decide(face_set, ann, these(*hers[:3]), "keep")
    again = next_slice(face_set, ann, 4)
    assert again[0] == hers[3]
    assert not set(again) & set(his)


def test_a_slice_that_nobody_looks_at_any_more_is_given_away(face_set: FaceSet, ann: User, ben: User) -> None:
    hers = next_slice(face_set, ann, COUNT)
    assert next_slice(face_set, ben, 4) == []
    Slice.objects.filter(user=ann).update(lease_until=Now() - timedelta(seconds=1))
    assert next_slice(face_set, ben, 4) == hers[:4]


def test_who_is_there_is_known(face_set: FaceSet, ann: User, ben: User) -> None:
    stay(face_set, ann)
    next_slice(face_set, ben)
    assert [one.user for one in present(face_set)] == [ann, ben]
    leave(face_set, ann)
    assert [one.user for one in present(face_set)] == [ben]


def test_the_best_are_balanced_over_pose_and_undone_as_one(face_set: FaceSet, ann: User) -> None:
    decide(face_set, ann, these(1), "reject")
    keep_best(face_set, ann, 5)
    assert Counter(Crop.objects.values_list("state", flat=True)) == {CropState.KEPT: 5, CropState.REJECTED: COUNT - 5}
    undo(face_set, ann)
    assert says(ann) == {1: "reject"}


def test_a_rare_pose_goes_before_more_of_a_common_one() -> None:
    front = [Crop(number=n, yaw=0, pitch=0, suspicion=n / 100, near_duplicates=n) for n in range(1, 21)]
    side = [Crop(number=n, yaw=60, pitch=0, suspicion=0.9, near_duplicates=n) for n in (21, 22)]
    assert choose_best([*front, *side], 6) == {1, 2, 3, 4, 21, 22}


def test_of_near_duplicates_one_goes_before_a_second() -> None:
    crops = [Crop(number=n, yaw=0, pitch=0, suspicion=n / 100, near_duplicates=1 if n < 4 else n) for n in range(1, 6)]
    assert choose_best(crops, 3) == {1, 4, 5}

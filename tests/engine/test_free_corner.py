"""The label's own choice of its place: away from faces, the same for a whole shot, and nothing else remembered."""

from __future__ import annotations

import numpy as np
import pytest

from faceengine.conversion.frame_swapper import Prepared, Seen
from faceengine.conversion.labelling import placed
from faceengine.extraction.finder import Face
from faceengine.provenance.choices import LABELS
from faceengine.provenance.free_corner import CORNERS, FreeLabel, Spot
from faceengine.provenance.label import Label

SIZE = (480, 640)
IMAGE = np.zeros((*SIZE, 3), np.uint8)


def over(place: str) -> np.ndarray:
    """A small face's rectangle in a corner, where the label would be."""
    x, y, width, height = Label("both", place, *SIZE).box
    left = x if place.endswith("left") else x + width - 60
    return np.array([left, y, left + 60, y + height], float)


def auto(label: str = "both", size: tuple[int, int] = SIZE) -> FreeLabel:
    return FreeLabel(label, "auto", *size)


@pytest.mark.parametrize("taken", range(4))
def test_it_is_in_the_first_corner_without_a_face(taken: int) -> None:
    faces = [over(corner) for corner in CORNERS[:taken]]
    assert auto().spot(faces) == Spot(CORNERS[taken])


def test_it_keeps_a_distance() -> None:
    x0, y0, x1, _ = over("bottom-right")
    just_above = np.array([x0, y0 - 100, x1, y0 - 5])
    assert auto().spot([just_above]) != Spot("bottom-right")
    assert auto().spot([just_above - (0, 10, 0, 10)]) == Spot("bottom-right")


def test_where_all_corners_have_faces_the_least_is_covered() -> None:
    faces = [over(corner) for corner in CORNERS]
    faces[2][:2] = faces[2][2:] - 8
    assert auto().spot(faces).place == "top-right"


def test_a_face_of_a_later_frame_counts_as_much() -> None:
    assert auto().spot([over("top-left"), over("bottom-right"), over("top-left")]) == Spot("bottom-left")


def test_without_faces_and_where_it_is_told_it_does_not_choose() -> None:
    assert auto().spot([]) == Spot("bottom-right")
    told = FreeLabel("both", "top-left", *SIZE)
    assert told.spot([over("top-left")]) == Spot("top-left")
    assert FreeLabel("none", "auto", *SIZE).drawn(IMAGE) is IMAGE


@pytest.mark.parametrize("label", [one for one in LABELS if one != "none"])
@pytest.mark.parametrize("size", [(480, 640), (256, 256), (640, 360), (64, 64)])
def test_letters_are_as_high_as_the_law_wants_wherever_it_is(label: str, size: tuple[int, int]) -> None:
    """A corner that is free for smaller letters only is not free."""
    least = 0.05 * min(size)
    free = auto(label, size)
    for spot in free.spots:
        white = free.drawn(np.zeros((*size, 3), np.uint8), spot).min(axis=2) > 128
        x, y, width, height = free.box(spot)
        assert not white[:y].any()
        assert not white[y + height :].any()
        assert np.count_nonzero(white.any(axis=1)) >= least
        assert min(x, y) >= 0
        assert x + width <= size[1]
        assert y + height <= size[0]


# -- how many lines ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "lines"), [((480, 640), 1), ((1080, 1920), 1), ((640, 480), 2), ((256, 256), 2)])
def test_both_is_on_one_line_if_that_leaves_a_good_part_of_the_width(size: tuple[int, int], lines: int) -> None:
    """The plate of two lines is more than four capital letters high."""
    _, _, width, height = Label("both", "top", *size).box
    assert (height > 4 * 0.05 * min(size)) == (lines == 2)
    assert width <= (0.6 if lines == 1 else 0.75) * size[1]


def test_one_line_passes_below_a_face_that_two_would_touch() -> None:
    face = np.array([58.0, 50, 198, 190])
    label = auto(size=(256, 256))
    assert label.spot([face]) == Spot("bottom-right", one_line=True)
    _, y, _, height = label.box(label.spot([face]))
    assert y > face[3]
    assert y + height <= 256


def test_a_forehead_is_covered_before_a_mouth() -> None:
    """A face that leaves no corner free: above its brows nothing is lost that tells who it is."""
    label = auto(size=(256, 256))
    spot = label.spot([np.array([58.0, 20, 198, 228])])
    assert spot.place == "top-right"
    _, y, _, height = label.box(spot)
    assert y + height < 20 + 0.25 * 208


# -- through a video ---------------------------------------------------------------------------------------------------


def frame(*boxes: np.ndarray, starts_shot: bool = False, coming: tuple[np.ndarray, ...] = ()) -> Prepared:
    faces = [Face(box, np.zeros((5, 2)), 1.0) for box in boxes]
    later = [Face(box, np.zeros((5, 2)), 1.0) for box in coming]
    seen = tuple(Seen(face, number, "different", 1.0) for number, face in enumerate(faces))
    return Prepared(IMAGE, seen, (), starts_shot, (*faces, *later))


def spots(frames: list[Prepared], lead_in: int = 0) -> list[str]:
    made = list(placed(iter(frames), auto(), lead_in))
    assert all(one.spot is None for one in made[:lead_in])
    return [one.spot.place for one in made[lead_in:] if one.spot is not None]


def test_it_stays_for_a_whole_shot_and_chooses_anew_at_a_cut() -> None:
    right, left = over("bottom-right"), over("bottom-left")
    shot = [frame(left, starts_shot=True), frame(left), frame(right), frame(right)]
    assert spots([*shot, frame(right, starts_shot=True), frame(left)]) == ["bottom-right"] * 4 + ["bottom-left"] * 2


def test_it_knows_of_the_second_after_a_shot_s_first_frame() -> None:
    right = over("bottom-right")
    assert spots([frame(starts_shot=True, coming=(right,)), frame(right)]) == ["bottom-left"] * 2


def test_at_a_border_inside_a_shot_it_only_moves_off_a_face() -> None:
    """The lead-in is the same whether the chunk is converted after another one or by itself."""
    right, left, middle = over("bottom-right"), over("bottom-left"), np.array([280.0, 180, 360, 280])
    start = frame(middle, starts_shot=True)
    assert spots([start, frame(middle), frame(middle)], lead_in=2) == ["bottom-right"]
    assert spots([start, frame(right), frame(middle)], lead_in=2) == ["bottom-left"]
    assert spots([start, frame(left), frame(middle)], lead_in=2) == ["bottom-right"]
    # A cut in the lead-in: what was before it is another shot.
    assert spots([start, frame(right), frame(middle, starts_shot=True), frame(middle)], lead_in=3) == ["bottom-right"]

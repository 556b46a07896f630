"""The visible label: high enough, readable on anything, where it was asked to be, and nothing else touched."""

from __future__ import annotations

import numpy as np
import pytest

from faceengine.provenance.choices import LABELS, PLACES
from faceengine.provenance.label import Label

WORDS = [label for label in LABELS if label != "none"]
SIZES = [(480, 640), (640, 480), (1080, 1920), (120, 160), (63, 65)]


def drawn(label: str, place: str, height: int, width: int, ground: int) -> np.ndarray:
    return Label(label, place, height, width).drawn(np.full((height, width, 3), ground, np.uint8))


def rows(mask: np.ndarray) -> int:
    return int(np.ptp(np.flatnonzero(mask.any(axis=1)))) + 1


@pytest.mark.parametrize("label", WORDS)
@pytest.mark.parametrize("size", SIZES)
def test_its_letters_are_a_twentieth_of_the_shortest_side_or_more(label: str, size: tuple[int, int]) -> None:
    white = drawn(label, "bottom-right", *size, ground=0).min(axis=2) > 128
    assert rows(white) >= 0.05 * min(size)


@pytest.mark.parametrize("size", SIZES)
def test_and_so_is_each_of_two_lines(size: tuple[int, int]) -> None:
    made = Label("both", "top", *size, one_line=False).drawn(np.zeros((*size, 3), np.uint8))
    assert rows(made.min(axis=2) > 128) >= 2 * 0.05 * min(size)


@pytest.mark.parametrize("label", WORDS)
@pytest.mark.parametrize("ground", [0, 128, 255])
def test_it_is_read_on_any_ground(label: str, ground: int) -> None:
    """Letters against their plate: at least 4.5 : 1, as pages must have it."""
    made = drawn(label, "top", 480, 640, ground)
    x, y, width, height = Label(label, "top", 480, 640).box
    plate = made[y : y + height, x : x + width].astype(float) / 255
    light = np.where(plate <= 0.04045, plate / 12.92, ((plate + 0.055) / 1.055) ** 2.4).mean(axis=2)
    assert (light.max() + 0.05) / (light.min() + 0.05) > 4.5


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", SIZES)
def test_it_is_where_it_was_asked_to_be_and_touches_nothing_else(place: str, size: tuple[int, int]) -> None:
    ground = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    before = ground.copy()
    label = Label("both", place, *size)
    made = label.drawn(ground)
    assert (ground == before).all()
    x, y, width, height = label.box
    outside = np.ones(size, bool)
    outside[y : y + height, x : x + width] = False
    assert (made[outside] == ground[outside]).all()
    middle = (x + width / 2) / size[1]
    assert (y + height / 2 < size[0] / 2) == place.startswith("top") or height > size[0] * 0.6
    if place.endswith("left"):
        assert middle <= 0.5
    elif place.endswith("right"):
        assert middle >= 0.5
    else:
        assert middle == pytest.approx(0.5, abs=0.02)


def test_the_part_of_a_wider_picture_has_letters_for_the_whole() -> None:
    alone = Label("en", "bottom", 640, 480)
    part = Label("en", "bottom", 640, 480, shortest=640)
    assert part.box[3] > alone.box[3]


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (400, 3), (16, 16)])
def test_a_picture_too_small_for_it_is_filled_and_nothing_breaks(size: tuple[int, int]) -> None:
    made = drawn("both", "bottom-left", *size, ground=200)
    assert made.shape == (*size, 3)
    assert (made != 200).any()


def test_none_draws_nothing_and_copies_nothing() -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    assert Label("none", "top", 48, 64).drawn(picture) is picture


def test_what_is_no_label_is_refused() -> None:
    with pytest.raises(ValueError, match="no label"):
        Label("fr", "top", 48, 64)
    with pytest.raises(ValueError, match="is for pictures"):
        Label("en", "top", 48, 64).drawn(np.zeros((64, 48, 3), np.uint8))

"""The canonical face and the similarity onto it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceengine.geometry import (
    CANONICAL_POINTS,
    align_matrix,
    invert,
    iou,
    scale_of,
    square_box,
    transform,
    umeyama,
    warp,
)

angles = st.floats(-3.1, 3.1)
scales = st.floats(0.05, 20)
shifts = st.floats(-2000, 2000)


def similarity(angle: float, scale: float, x: float, y: float) -> np.ndarray:
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cos, -sin, x], [sin, cos, y]])


@given(angles, scales, shifts, shifts)
def test_umeyama_finds_the_similarity_again(angle: float, scale: float, x: float, y: float) -> None:
    matrix = similarity(angle, scale, x, y)
    found = umeyama(CANONICAL_POINTS * 200, transform(CANONICAL_POINTS * 200, matrix))
    assert np.allclose(found, matrix, rtol=1e-6, atol=1e-6)


@given(angles, scales, shifts, shifts)
def test_invert_is_exact(angle: float, scale: float, x: float, y: float) -> None:
    matrix = similarity(angle, scale, x, y)
    points = CANONICAL_POINTS * 300
    assert np.allclose(transform(transform(points, matrix), invert(matrix)), points, atol=1e-6)
    assert scale_of(matrix) == pytest.approx(scale)


def test_umeyama_never_mirrors() -> None:
    matrix = umeyama(CANONICAL_POINTS * 100, CANONICAL_POINTS * (-100, 100))
    assert np.linalg.det(matrix[:, :2]) > 0


def test_umeyama_refuses_points_that_coincide() -> None:
    with pytest.raises(ValueError, match="coincide"):
        umeyama(np.ones((5, 2)), CANONICAL_POINTS)


def test_umeyama_is_the_least_squares_fit() -> None:
    """Perturbing the found similarity in any of its four directions makes the error larger."""
    rng = np.random.default_rng(3)
    source, target = CANONICAL_POINTS * 100, CANONICAL_POINTS * 80 + rng.normal(0, 5, (5, 2))
    matrix = umeyama(source, target)

    def error(candidate: np.ndarray) -> float:
        return float(((transform(source, candidate) - target) ** 2).sum())

    for step in (similarity(0.01, 1, 0, 0), similarity(0, 1.01, 0, 0)):
        turned = np.column_stack([matrix[:, :2] @ step[:, :2], matrix[:, 2]])
        assert error(turned) > error(matrix)
    for shift in ((0.5, 0), (0, 0.5)):
        assert error(matrix + np.column_stack([np.zeros((2, 2)), shift])) > error(matrix)


def test_the_same_face_lands_on_the_same_share_of_every_crop() -> None:
    points = transform(CANONICAL_POINTS * 150, similarity(0.2, 1.1, 300, 200))
    small, large = (transform(points, align_matrix(points, size)) for size in (64, 256))
    assert np.allclose((small + 0.5) / 64, (large + 0.5) / 256, atol=1e-9)


def test_coverage_keeps_the_middle_and_enlarges_it() -> None:
    points = CANONICAL_POINTS * 150 + 40
    whole, part = align_matrix(points, 200), align_matrix(points, 200, coverage=0.5)
    assert scale_of(part) == pytest.approx(2 * scale_of(whole))
    middle = transform(np.array([[99.5, 99.5]]), invert(whole))
    assert np.allclose(transform(middle, part), 99.5)


def test_warp_and_its_inverse_give_the_picture_back() -> None:
    yy, xx = np.mgrid[:200, :200]
    picture = np.stack([xx, yy, (xx + yy) // 2], axis=2).astype(np.uint8)
    matrix = similarity(0.3, 1.0, 30, -20)
    back = warp(warp(picture, matrix, 200), invert(matrix), 200)
    assert np.abs(back[80:120, 80:120].astype(int) - picture[80:120, 80:120]).max() <= 2


def test_warp_does_not_alias_when_it_shrinks_a_lot() -> None:
    """Fine stripes become grey, not other stripes."""
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    small = warp(stripes, similarity(0, 0.1, 0, 0), 80)
    assert small[10:70, 10:70].std() < 12
    assert small[10:70, 10:70].mean() == pytest.approx(127.5, abs=4)


def test_what_a_shrunk_crop_does_not_show_makes_no_difference() -> None:
    frame = np.random.default_rng(5).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    beside = frame.copy()
    beside[:, :300] = 0
    for shift, inside in (((-110, -20), True), ((-60, -20), False), ((-1000, 900), True)):
        matrix = np.array([[0.24, 0.05, shift[0]], [-0.05, 0.24, shift[1]]])
        assert np.array_equal(warp(frame, matrix, 40), warp(beside, matrix, 40)) == inside


def test_warp_replicates_what_lies_outside() -> None:
    picture = np.full((20, 20, 3), 77, np.uint8)
    assert (warp(picture, similarity(0, 1, 50, 50), 64) == 77).all()


def test_square_box_keeps_area_and_centre() -> None:
    square = square_box(np.array([10.0, 20.0, 50.0, 120.0]))
    assert square[2] - square[0] == pytest.approx(square[3] - square[1])
    assert (square[2] - square[0]) ** 2 == pytest.approx(40 * 100)
    assert ((square[:2] + square[2:]) / 2).tolist() == [30, 70]


def test_iou_by_hand() -> None:
    box = np.array([0.0, 0.0, 2.0, 2.0])
    assert iou(box, box) == 1
    assert iou(box, np.array([1.0, 0.0, 3.0, 2.0])) == pytest.approx(2 / 6)
    assert iou(box, np.array([5.0, 5.0, 6.0, 6.0])) == 0

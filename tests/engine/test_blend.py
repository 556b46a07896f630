"""A pasted face must not move, must not leak, and must not tremble."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceengine.conversion.blend import (
    MASK_SIZE,
    POISSON_MARGIN,
    REACH,
    Region,
    clone,
    extent,
    face_hull,
    paste,
    resample,
    resized,
    shape,
    soft_mask,
)
from faceengine.geometry import CANONICAL_POINTS, align_matrix, invert, transform, warp

PUTS = pytest.mark.parametrize("put", [paste, clone])


def texture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Blotches and fine grain, as skin has: phase correlation weighs all frequencies alike and needs some of each."""
    noise = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)
    layers = [cv2.normalize(cv2.GaussianBlur(noise, (0, 0), sigma), None, 0, 1, cv2.NORM_MINMAX) for sigma in (0.7, 5)]
    return np.asarray(20 + 100 * layers[0] + 115 * layers[1], np.uint8)


def blob(height: int, width: int, seed: int, softness: float = 4.0) -> NDArray[np.float32]:
    """A random soft polygon, 0 near the border."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
    radius = rng.uniform(0.35, 0.8, 9)[:, None] * (np.array([width, height]) / 2 - 20)
    points = np.column_stack([np.cos(angles), np.sin(angles)]) * radius + np.array([width, height]) / 2
    canvas = np.zeros((height, width), np.float32)
    cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], (1.0,))
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), softness), np.float32)


def shift(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """How far ``other`` has moved against ``one``, in pixels, by phase correlation of their details."""
    # cv2.phaseCorrelate says half a pixel for a picture against itself when a side is odd: take the middle, even.
    sides = [length // 64 * 64 for length in one.shape[:2]]
    top, left = ((length - side) // 2 for length, side in zip(one.shape[:2], sides, strict=True))
    part = slice(top, top + sides[0]), slice(left, left + sides[1])
    grey = [cv2.cvtColor(picture[part], cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (one, other)]
    details = [picture - cv2.GaussianBlur(picture, (0, 0), 8) for picture in grey]
    (x, y), _ = cv2.phaseCorrelate(*details, cv2.createHanningWindow(sides[::-1], cv2.CV_32F))
    return float(np.hypot(x, y))


def face_landmarks() -> NDArray[np.float64]:
    """68 landmarks as crop shares: jaw and brows on an ellipse, the rest, which the outline ignores, in its middle."""
    angles = np.concatenate([np.linspace(0, np.pi, 17), np.linspace(-0.9 * np.pi, -0.1 * np.pi, 10)])
    points = np.full((68, 2), 0.5)
    points[:27] += np.column_stack([0.35 * np.cos(angles), 0.42 * np.sin(angles)])
    return points


@given(seed=st.integers(0, 10_000), height=st.integers(81, 240), width=st.integers(81, 240))
@settings(max_examples=40, deadline=None)
def test_a_face_cloned_onto_itself_does_not_move(seed: int, height: int, width: int) -> None:
    frame = texture(300, 320, seed)
    region = Region(31, 27, width | 1, height | 1)
    rows, columns = region.inside(frame)
    result = frame.copy()
    clone(result, region, frame[rows, columns], blob(region.height, region.width, seed))
    assert shift(frame[rows, columns], result[rows, columns]) < 0.05
    assert np.abs(result.astype(int) - frame).max() <= 2


def test_opencv_alone_does_move_it() -> None:
    """The trap that ``clone`` is there for: with the region's centre, an off-centre mask moves the face."""
    frame = texture(201, 201)
    mask = np.zeros((201, 201), np.uint8)
    cv2.ellipse(mask, (90, 110), (50, 60), 0, 0, 360, (255,), -1)
    moved = cv2.seamlessClone(frame, frame, mask, (100, 100), cv2.NORMAL_CLONE)
    assert shift(frame[70:150, 55:125], np.asarray(moved, np.uint8)[70:150, 55:125]) > 5


def test_a_breathing_mask_neither_moves_nor_recolours_a_fixed_face() -> None:
    frame = np.asarray(cv2.GaussianBlur(texture(260, 260, 1), (0, 0), 6), np.uint8)
    face = (texture(201, 201, 2) * 0.6 + 60).astype(np.uint8)
    heart = (slice(98, 162), slice(98, 162))
    ours, plain = [], []
    for breath in range(12):
        mask = np.zeros((201, 201), np.float32)
        size = (62 + breath % 5, 72 + breath % 3)
        cv2.ellipse(mask, (100 + breath % 2, 100), size, 0, 0, 360, (1.0,), -1, cv2.LINE_AA)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 6), np.float32)
        result = frame.copy()
        clone(result, Region(30, 30, 201, 201), face, mask)
        ours.append(result[heart])
        marked = np.asarray(mask * 255, np.uint8)
        naive = cv2.seamlessClone(face, frame, marked, (130, 130), cv2.NORMAL_CLONE)
        plain.append(np.asarray(naive, np.uint8)[heart])
    assert max(shift(ours[0], other) for other in ours) < 0.1
    assert max(shift(plain[0], other) for other in plain) > 0.8
    assert np.array([result.mean(axis=(0, 1)) for result in ours]).std(axis=0).max() < 0.6


@PUTS
def test_outside_the_mask_the_frame_keeps_its_bytes(put) -> None:  # type: ignore[no-untyped-def]
    frame = texture(240, 300)
    region = Region(50, 20, 151, 171)
    mask = np.where(blob(171, 151, 5) < 1e-3, 0, blob(171, 151, 5)).astype(np.float32)
    result = frame.copy()
    put(result, region, np.full((171, 151, 3), 250, np.uint8), mask)
    whole = np.zeros(frame.shape[:2], np.float32)
    whole[20:191, 50:201] = mask
    assert np.array_equal(result[whole == 0], frame[whole == 0])
    assert np.abs(result[whole > 0.5].astype(int) - frame[whole > 0.5]).mean() > 1


@PUTS
@pytest.mark.parametrize("corner", [(-80, -70), (-80, 60), (200, -70), (220, 190), (60, -100), (-95, 60)])
def test_faces_at_the_frames_border(put, corner) -> None:  # type: ignore[no-untyped-def]
    frame = texture(240, 300)
    region = Region(*corner, 151, 151)
    result = frame.copy()
    put(result, region, np.full((151, 151, 3), 128, np.uint8), blob(151, 151, 3))
    rows, columns = region.inside(frame)
    touched = np.zeros(frame.shape[:2], bool)
    touched[rows, columns] = True
    assert np.array_equal(result[~touched], frame[~touched])
    assert not np.array_equal(result[touched], frame[touched])


@PUTS
@pytest.mark.parametrize("corner", [(-400, 10), (10, 900)])
def test_a_region_beyond_the_frame_changes_nothing(put, corner) -> None:  # type: ignore[no-untyped-def]
    frame = texture(90, 90)
    result = frame.copy()
    put(result, Region(*corner, 51, 51), np.zeros((51, 51, 3), np.uint8), np.ones((51, 51), np.float32))
    assert np.array_equal(result, frame)


def test_poisson_takes_the_level_of_the_frame_and_the_detail_of_the_face() -> None:
    frame = np.full((200, 200, 3), 180, np.uint8)
    face = np.asarray(np.rint(texture(151, 151, 4) * 0.2 + 20), np.uint8)
    mask = np.zeros((151, 151), np.float32)
    cv2.circle(mask, (75, 75), 45, (1.0,), -1)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 3), np.float32)
    clone(frame, Region(20, 20, 151, 151), face, mask)
    heart = frame[70:120, 70:120].astype(np.float32)
    assert abs(heart.mean() - 180) < 15
    detail = face[50:100, 50:100]
    assert np.corrcoef((heart - heart.mean()).ravel(), (detail - detail.mean()).ravel())[0, 1] > 0.95


@pytest.mark.parametrize("angle", [0, 20, -50])
@pytest.mark.parametrize("length", [60, 137, 300])
def test_a_crop_comes_back_to_where_it_was_cut(angle: float, length: float) -> None:
    frame = cv2.GaussianBlur(texture(480, 640), (0, 0), 6)
    turn = cv2.getRotationMatrix2D((0.5, 0.5), angle, 1.0)
    points = transform(CANONICAL_POINTS, turn) * length + np.array([180, 90])
    matrix = align_matrix(points, 256, 0.8)
    region = Region.around(matrix, 256)
    back = region.paste(warp(np.asarray(frame), matrix, 256), matrix).astype(np.float32)
    inner = region.paste_mask(np.ones((256, 256), np.float32), matrix) == 1
    rows, columns = region.inside(np.asarray(frame))
    own = region.own(rows, columns)
    difference = np.abs(back[own] - frame[rows, columns])[inner[own]]
    assert inner.sum() > 0.5 * (0.8 * length) ** 2
    assert difference.mean() < 1.0


def test_the_region_holds_the_whole_crop_and_has_odd_sides() -> None:
    matrix = align_matrix(CANONICAL_POINTS * 150.3 + 40.7, 64, 0.7)
    region = Region.around(matrix, 64, POISSON_MARGIN)
    corners = transform(np.array([[-0.5, -0.5], [63.5, 63.5]]), invert(matrix)) - (region.x, region.y)
    assert region.width % 2 == region.height % 2 == 1
    assert corners.min() >= POISSON_MARGIN
    assert (corners[1] <= (region.width - POISSON_MARGIN, region.height - POISSON_MARGIN)).all()


@pytest.mark.parametrize("length", [40.0, 150.3, 900.0])
def test_only_the_pixels_that_the_mask_reaches_are_worked_on(length: float) -> None:
    """Pasting through them gives what pasting through the whole crop's region gives, also of a face larger than the
    frame."""
    frame, size = texture(200, 240, 1), 128
    matrix = align_matrix(CANONICAL_POINTS * length + (120.7 - length / 2, 100.2 - length / 2), size, 1.0)
    mask = blob(MASK_SIZE, MASK_SIZE, 3)
    colour = texture(size, size, 2)
    whole = Region.around(matrix, size)
    part = Region.around(matrix, size, part=extent(mask)).clipped(frame)
    assert part.width * part.height < 0.9 * whole.width * whole.height
    assert part.width <= 240
    assert part.height <= 200
    results = []
    for region in (whole, part):
        result = frame.copy()
        share = region.paste_mask(mask, resized(matrix, size, MASK_SIZE))
        paste(result, region, region.paste(colour, matrix), share)
        results.append(result.astype(int))
    difference = np.abs(results[0] - results[1])
    assert difference.max() <= 2  # OpenCV rounds places to 1/32 of a pixel, from the rectangle's corner
    assert difference.mean() < 0.01
    assert not np.array_equal(results[1], frame)
    assert extent(np.zeros((8, 8), np.float32)) is None


def test_a_resized_matrix_is_the_crop_cut_at_that_size() -> None:
    points = CANONICAL_POINTS * 150.3 + 40.7
    assert np.allclose(resized(align_matrix(points, 64, 0.7), 64, 128), align_matrix(points, 128, 0.7))


def test_the_hull_lies_where_the_landmarks_are() -> None:
    hull = face_hull(face_landmarks())
    _, columns = np.nonzero(hull > 0.5)
    assert np.isclose(columns.mean() + 0.5, MASK_SIZE / 2, atol=0.6)
    ellipse = np.pi * 0.35 * 0.42
    assert ellipse < hull.mean() < 1.2 * ellipse  # the brows are carried up the forehead


@pytest.mark.parametrize("cover", ["both", "alpha", "face"])
def test_a_soft_mask_ends_inside_the_crop_even_if_the_face_does_not(cover: str) -> None:
    landmarks = (face_landmarks() - 0.5) * 3 + 0.5
    mask = soft_mask(np.ones((64, 64, 2), np.float32), landmarks, cover=cover, erode=0.02, feather=0.04)
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert edge.max() < 0.02
    assert mask[MASK_SIZE // 2, MASK_SIZE // 2] == pytest.approx(1)
    assert np.abs(np.diff(mask, axis=0)).max() < 0.25


def test_what_the_mask_covers() -> None:
    left = np.zeros((64, 64, 2), np.float32)
    left[:, :32] = 0.8
    edge = {"erode": 0.0, "feather": 0.02}
    both = soft_mask(left, face_landmarks(), cover="both", **edge)
    alpha = soft_mask(left, face_landmarks(), cover="alpha", **edge)
    face = soft_mask(left, face_landmarks(), cover="face", **edge)
    middle, right, corner = (64, 40), (64, 90), (12, 12)
    assert [m[middle] for m in (both, alpha, face)] == pytest.approx([0.8, 0.8, 1])
    assert [m[right] for m in (both, alpha, face)] == pytest.approx([0, 0, 1])
    assert [m[corner] for m in (both, alpha, face)] == pytest.approx([0, 0.8, 0])


def test_a_wider_face_reaches_beyond_the_outline_but_not_over_hair() -> None:
    """The source's face is hidden by hair right of x = 88 (of 128); the drawn face is wide on both sides."""
    drawn, visible, hull = np.ones((128, 128), np.float32), np.ones((128, 128), np.float32), face_hull(face_landmarks())
    visible[:, 88:] = 0
    mask = shape(drawn, visible, hull)
    left_edge = int(np.nonzero(hull[70] > 0.5)[0][0])
    reach = round(REACH * 128)
    assert mask[70, left_edge - reach + 2] > 0.9
    assert mask[70, left_edge - reach - 4] < 0.1
    assert mask[70, 60] == pytest.approx(1)
    assert mask[70, 92:].max() < 0.05
    drawn[:, : left_edge + 6] = 0  # a narrower face
    assert shape(drawn, visible, hull)[70, left_edge + 3] == 0


def test_eroding_and_feathering_take_away() -> None:
    everywhere = np.ones((64, 64, 2), np.float32)
    sizes = [
        soft_mask(everywhere, face_landmarks(), cover="face", erode=erode, feather=0.03).sum()
        for erode in (0, 0.05, 0.1)
    ]
    assert sizes[0] > sizes[1] > sizes[2] > 0


def test_resampling_a_mask_keeps_its_place() -> None:
    mask = np.zeros((32, 32), np.float32)
    mask[8:24, 4:20] = 1
    large = resample(mask, 128)
    assert np.array_equal(resample(large, 32) > 0.5, mask > 0.5)
    assert np.average(np.arange(128), weights=large.sum(axis=0)) + 0.5 == pytest.approx(12 * 4)

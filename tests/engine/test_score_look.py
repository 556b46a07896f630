"""What the eye sees of a swap, by number: detail, gaze, lids, mouth, flicker, and what they make of the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from faceengine.evaluation.features import Features, follow, measure_features
from faceengine.evaluation.grade import extremes, grade, quality
from faceengine.evaluation.hues import BLOTCHED, hues, total, wrong_shares
from faceengine.evaluation.motion import aligned_difference, flicker
from faceengine.evaluation.sharpness import detail_energy
from faceengine.faceset import FaceSet
from faceengine.geometry import Image, Points, transform


@pytest.fixture(scope="module")
def face(faces_a: Path) -> tuple[Image, Points]:
    """A crop that looks straight ahead, and its landmarks."""
    with FaceSet.open(faces_a) as faces:
        crop = min(faces.crops(), key=lambda crop: abs(crop.yaw) + abs(crop.pitch))
        return faces.image(crop.id), transform(crop.landmarks, crop.matrix)


def test_detail_falls_with_blur_and_not_with_size(face: tuple[Image, Points]) -> None:
    image, landmarks = face
    sharp = detail_energy(image, landmarks)
    assert sharp is not None
    energies = [detail_energy(cv2.GaussianBlur(image, (0, 0), sigma), landmarks) for sigma in (1.5, 3.0)]  # type: ignore[arg-type]
    assert 0.6 * sharp > energies[0] > 2 * energies[1]  # type: ignore[operator]
    large = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert detail_energy(large, (landmarks + 0.5) * 2 - 0.5) == pytest.approx(sharp, rel=0.15)  # type: ignore[arg-type]


def test_detail_of_a_face_outside_the_picture_is_not_known(face: tuple[Image, Points]) -> None:
    image, landmarks = face
    assert detail_energy(image, landmarks + 2 * image.shape[1]) is None
    assert detail_energy(image, landmarks - np.array([20.0, 0.0])) is not None


@pytest.mark.parametrize("side", [-1, 1])
def test_gaze_follows_the_iris(side: int) -> None:
    """Two drawn eyes whose irises lie to one side; turning the head tilts nothing of it."""
    image = np.full((200, 200, 3), 220, np.uint8)
    landmarks = np.zeros((68, 2))
    landmarks[62], landmarks[66] = (100, 140), (100, 150)
    for first, x in ((36, 60), (42, 140)):
        eye = [(-20, 0), (-8, -8), (8, -8), (20, 0), (8, 8), (-8, 8)]
        landmarks[first : first + 6] = [(x + dx, 80 + dy) for dx, dy in eye]
        cv2.circle(image, (x + 7 * side, 80), 6, (30, 30, 30), -1)
    straight = measure_features(image, landmarks)
    assert straight.gaze == pytest.approx(0.5 + side * 7 / 40, abs=0.04)
    assert straight.lids == pytest.approx(16 / 40)
    assert straight.mouth == pytest.approx(10 / 80)
    turn = cv2.getRotationMatrix2D((100, 100), 25, 0.9)
    tilted = cv2.warpAffine(image, turn, (200, 200), borderValue=(220, 220, 220))
    assert measure_features(tilted, transform(landmarks, turn)).gaze == pytest.approx(straight.gaze, abs=0.04)  # type: ignore[arg-type]


def test_following_is_correlation_and_stillness_says_nothing() -> None:
    t = np.linspace(0, 6, 40)
    moving = [Features(0.3 + 0.1 * np.sin(x), 0.2 + 0.1 * np.cos(x), 0.5) for x in t]
    offset = [Features(f.lids * 0.5, 0.6 - f.mouth, 0.5) for f in moving]
    found = follow(offset, moving)
    assert found["lids"] == pytest.approx(1)
    assert found["mouth"] == pytest.approx(-1)
    assert found["gaze"] is None
    assert follow(offset[:5], moving[:5])["lids"] is None
    frozen = [Features(0.3, 0.2, 0.5)] * 40
    assert follow(frozen, moving)["lids"] == 0


def test_flicker_sees_a_face_that_pulses_and_not_a_head_that_moves(face: tuple[Image, Points]) -> None:
    image, landmarks = face
    brighter = np.clip(image.astype(int) + 20, 0, 255).astype(np.uint8)
    shift = np.array([[1.0, 0, 9], [0, 1, 5]])
    moved = [cv2.warpAffine(one, shift, image.shape[:2], borderMode=cv2.BORDER_REPLICATE) for one in (brighter, image)]
    steady = aligned_difference(brighter, image, landmarks)
    later = aligned_difference(moved[0], moved[1], landmarks + np.array([9.0, 5.0]))  # type: ignore[arg-type]
    assert flicker(steady, later) < 1.5
    dimmer = aligned_difference(np.clip(image.astype(int) + 5, 0, 255).astype(np.uint8), image, landmarks)
    assert flicker(steady, dimmer) == pytest.approx(15, abs=1.5)


def blotched(image: Image, landmarks: Points, colour: tuple[int, int, int]) -> Image:
    """The face with a soft spot of a colour on its cheek."""
    spot = np.zeros(image.shape[:2], np.float32)
    x, y = landmarks[[2, 31, 48]].mean(axis=0)
    cv2.circle(spot, (round(x), round(y)), image.shape[0] // 16, 1.0, -1)
    weight = cv2.GaussianBlur(spot, (0, 0), 3)[..., None]
    return np.asarray(image * (1 - weight) + np.array(colour) * weight, np.uint8)


def test_hues_that_are_nobody_s_are_seen(face: tuple[Image, Points], faces_b: Path) -> None:
    image, landmarks = face
    with FaceSet.open(faces_b) as faces:
        crops = [(faces.image(crop.id), transform(crop.landmarks, crop.matrix)) for crop in faces.crops()]
    footage, wanted = total([hues(image, landmarks)]), total(hues(crop, points) for crop, points in crops)

    def share(drawn: Image) -> float:
        found = hues(drawn, landmarks)
        assert found is not None
        return wrong_shares([found], footage, wanted)[0]

    assert share(image) == 0
    assert share(np.clip(image * 0.85, 0, 255).astype(np.uint8)) < BLOTCHED
    assert share(blotched(image, landmarks, (90, 90, 210))) > 2 * BLOTCHED
    assert share(blotched(image, landmarks, (150, 60, 190))) > 2 * BLOTCHED
    assert share(blotched(image, landmarks, (60, 60, 60))) < BLOTCHED, "a shadow has no hue"


def test_a_person_s_own_colours_are_right_in_the_footage_s_light(face: tuple[Image, Points]) -> None:
    image, landmarks = face
    bluish = np.clip(image * np.array([0.6, 0.9, 1.6]), 0, 255).astype(np.uint8)
    drawn, footage, wanted = hues(bluish, landmarks), total([hues(bluish, landmarks)]), total([hues(image, landmarks)])
    assert drawn is not None
    assert wrong_shares([drawn], footage, wanted) == [0]
    assert wrong_shares([drawn], wanted, wanted)[0] > 0.3


def test_hues_of_a_face_outside_the_picture_are_not_known(face: tuple[Image, Points]) -> None:
    image, landmarks = face
    dark = np.zeros_like(image)
    assert hues(dark, landmarks) is None
    assert wrong_shares([], total([]), total([None])) == []


def report(**changes: Any) -> dict[str, Any]:
    return {"position": 0.9, "detail": 0.8, "mouth": 0.9, "lids": 0.8, "blotches": 0.0} | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "good"),
        ({"lids": None, "mouth": None}, "good"),
        ({"detail": None}, "fair"),
        ({"detail": 0.5}, "fair"),
        ({"mouth": 0.5}, "fair"),
        ({"detail": 0.2}, "poor"),
        ({"position": 0.2}, "poor"),
        ({"position": None}, None),
        ({"blotches": None}, "good"),
        ({"blotches": 0.05}, "fair"),
        ({"blotches": 0.3}, "poor"),
    ],
)
def test_the_grade(changes: dict[str, Any], expected: str | None) -> None:
    assert grade(report(**changes)) == expected


def test_best_and_worst_frames_are_spread_over_the_video() -> None:
    rows = [{"frame": n, "similarity": 0.5 + 0.004 * n, "detail": 1.0, "expression_error": None} for n in range(100)]
    best, worst = extremes(rows, 0.5, 0.9)
    assert (best, worst) == ([99, 94, 89, 84, 79], [0, 5, 10, 15, 20])
    assert extremes([], None, None) == ([], [])
    blurred = rows[50] | {"detail": 0.0}
    assert quality(blurred, 0.5, 0.9) < quality(rows[10], 0.5, 0.9)  # type: ignore[operator]

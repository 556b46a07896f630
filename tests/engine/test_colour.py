"""Colour transfer, by hand-computed values."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceengine.conversion.colour import sharpen, transfer

WAYS = ("mean", "lab", "histogram")
Floats = NDArray[np.float32]


def noise(seed: int, mean: float, spread: float, size: int = 64) -> Floats:
    values = np.random.default_rng(seed).normal(mean, spread, (size, size, 3))
    return np.clip(values, 0, 255).astype(np.float32)


@pytest.fixture
def weight() -> Floats:
    weight = np.zeros((64, 64), np.float32)
    weight[16:48, 16:48] = 1
    return weight


def test_mean_gives_the_references_mean_and_deviation(weight: Floats) -> None:
    inside = weight > 0
    matched = transfer(noise(1, 90, 10), noise(2, 140, 15), weight, "mean")
    wanted = noise(2, 140, 15)[inside]
    assert np.allclose(matched[inside].mean(axis=0), wanted.mean(axis=0), atol=0.05)
    assert np.allclose(matched[inside].std(axis=0), wanted.std(axis=0), rtol=0.01)


def test_mean_on_two_pixels_by_hand() -> None:
    # Mean 100 and deviation 20 become mean 60 and deviation 30: 80 → 30, 120 → 90.
    face = np.repeat(np.array([[80, 120]] * 16, np.float32)[..., None], 3, axis=2)
    reference = np.repeat(np.array([[30, 90]] * 16, np.float32)[..., None], 3, axis=2)
    matched = transfer(face, reference, np.ones((16, 2), np.float32), "mean")
    assert np.allclose(matched[0, :, 0], [30, 90], atol=1e-3)


def test_lab_gives_the_references_statistics_in_lab(weight: Floats) -> None:
    inside = weight > 0
    face, reference = noise(1, 110, 8) * np.float32([1, 0.9, 0.8]), noise(2, 140, 10) * np.float32([0.9, 1, 0.9])
    matched = transfer(face, reference, weight, "lab")
    lab = [cv2.cvtColor(image / np.float32(255), cv2.COLOR_RGB2LAB)[inside] for image in (matched, reference)]
    assert np.allclose(lab[0].mean(axis=0), lab[1].mean(axis=0), atol=0.3)
    assert np.allclose(lab[0].std(axis=0), lab[1].std(axis=0), rtol=0.05)


def test_histogram_gives_the_references_distribution(weight: Floats) -> None:
    inside = weight > 0
    face = noise(1, 100, 12)
    reference = (np.random.default_rng(3).random((64, 64, 3)) ** 3 * 200 + 20).astype(np.float32)
    matched = transfer(face, reference, weight, "histogram")
    quantiles = np.linspace(0.05, 0.95, 19)
    assert np.allclose(np.quantile(matched[inside], quantiles), np.quantile(reference[inside], quantiles), atol=4)


@pytest.mark.parametrize("how", WAYS)
def test_what_lies_outside_the_weight_does_not_count(how: str, weight: Floats) -> None:
    face, reference = noise(1, 90, 10), noise(2, 140, 15)
    loud = reference.copy()
    loud[weight == 0] = 255
    inside = weight > 0
    assert np.array_equal(transfer(face, reference, weight, how)[inside], transfer(face, loud, weight, how)[inside])


@pytest.mark.parametrize("how", WAYS)
def test_matched_to_itself_a_face_stays(how: str, weight: Floats) -> None:
    face = noise(1, 120, 20)
    assert np.abs(transfer(face, face, weight, how) - face)[weight > 0].max() < 1.0


@pytest.mark.parametrize("how", WAYS)
def test_colours_stay_in_range(how: str, weight: Floats) -> None:
    matched = transfer(noise(1, 128, 60), noise(2, 250, 60), weight, how)
    assert matched.dtype == np.float32
    assert matched.min() >= 0
    assert matched.max() <= 255


@pytest.mark.parametrize("how", [*WAYS, "none"])
def test_without_weight_colours_are_left_alone(how: str) -> None:
    face = noise(1, 90, 10)
    assert transfer(face, noise(2, 140, 15), np.zeros((64, 64), np.float32), how) is face


def test_a_flat_face_is_not_blown_up(weight: Floats) -> None:
    flat = noise(1, 100, 0.5)
    matched = transfer(flat, noise(2, 100, 40), weight, "mean")
    assert matched[weight > 0].std() < 1.5


def detail(face: Floats, weight: Floats) -> float:
    return float((face - cv2.GaussianBlur(face, (0, 0), 1.0))[weight > 0].std())


def test_sharpening_grows_with_what_is_allowed_and_zero_is_nothing(weight: Floats) -> None:
    face, crisp = np.asarray(cv2.GaussianBlur(noise(1, 128, 60), (0, 0), 1.5), np.float32), noise(2, 128, 60)
    details = [detail(sharpen(face, crisp, weight, most), weight) for most in (0, 0.3, 1)]
    assert sharpen(face, crisp, weight, 0) is face
    assert details[0] < details[1] < details[2]
    assert details[2] < detail(crisp, weight)
    assert abs(float(sharpen(face, crisp, weight, 1).mean() - face.mean())) < 0.1


def test_a_face_gets_as_sharp_as_the_footage_and_no_sharper(weight: Floats) -> None:
    face = np.asarray(cv2.GaussianBlur(noise(1, 128, 60), (0, 0), 1.5), np.float32)
    footage = np.asarray(cv2.GaussianBlur(noise(2, 128, 60), (0, 0), 1.35), np.float32)
    reached = detail(sharpen(face, footage, weight, 1), weight) / detail(footage, weight)
    assert detail(face, weight) / detail(footage, weight) < 0.8 < reached <= 1
    coarse = np.asarray(cv2.GaussianBlur(noise(2, 128, 60), (0, 0), 3), np.float32)
    assert sharpen(face, coarse, weight, 1) is face


def test_without_weight_nothing_is_sharpened() -> None:
    face = noise(1, 128, 20)
    assert sharpen(face, noise(2, 128, 60), np.zeros((64, 64), np.float32), 1) is face

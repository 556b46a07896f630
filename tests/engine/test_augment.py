"""Augmentation: what is warped, what follows, and that the view is the one conversion uses."""

from __future__ import annotations

import numpy as np
import pytest

from faceengine.geometry import CANONICAL_POINTS, Image, align_matrix, umeyama
from faceengine.geometry import warp as cut
from faceengine.training import augment
from faceengine.training.preview import central

STAY = np.eye(2, 3)


@pytest.fixture
def crop() -> Image:
    """A smooth colourful picture of 128 pixels."""
    y, x = np.mgrid[0:128, 0:128]
    waves = [np.sin(x / 9) * np.cos(y / 7), np.sin((x + y) / 11), np.cos(x / 13) * np.sin(y / 5)]
    return np.stack([(wave * 90 + 128).astype(np.uint8) for wave in waves], axis=-1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("coverage", [0.6875, 0.8, 1.0])
def test_training_sees_what_conversion_cuts_out(crop: Image, coverage: float) -> None:
    """A frame that is the aligned crop itself: training's undisturbed view equals conversion's."""
    points = CANONICAL_POINTS * 128 - 0.5
    converted = cut(crop, align_matrix(points, 64, coverage), 64)
    trained = augment.warp(crop, crop[..., :1], STAY, 64, coverage, 0.0, rng())
    for view in (trained.warped, trained.target, central(crop, 64, coverage)):
        assert np.abs(view[2:-2, 2:-2].astype(int) - converted[2:-2, 2:-2]).max() <= 2


def test_masks_follow_the_target_and_not_the_warped_input(crop: Image) -> None:
    bright = np.where(crop[..., :1] > 128, 255, 0).astype(np.uint8)
    sample = augment.warp(crop, bright, STAY, 64, 0.8, 6.0, rng(3))
    of_target = np.corrcoef(sample.masks[..., 0].ravel(), sample.target[..., 0].ravel())[0, 1]
    of_warped = np.corrcoef(sample.masks[..., 0].ravel(), sample.warped[..., 0].ravel())[0, 1]
    assert of_target > 0.8
    assert of_target > of_warped + 0.02


def test_the_same_seed_gives_the_same_sample(crop: Image) -> None:
    masks = crop[..., :2].copy()
    one, two, other = (
        augment.sample(crop, masks, crop[::-1], 64, 0.8, placement=1.0, flip=0.5, warp_sigma=5.6, rng=rng(seed))
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one.warped, two.warped)
    assert np.array_equal(one.target, two.target)
    assert not np.array_equal(one.warped, other.warped)


@pytest.mark.parametrize("xyz", [False, True])
def test_colours_are_taken_over(crop: Image, xyz: bool) -> None:
    dark = (crop // 3 + 20).astype(np.uint8)
    matched = augment.match_colours(crop, dark, xyz=xyz)
    assert np.abs(matched.mean(axis=(0, 1)) - dark.mean(axis=(0, 1))).max() < 2
    assert np.abs(matched.std(axis=(0, 1)) - dark.std(axis=(0, 1))).max() < 3


def test_placements_stay_in_their_ranges_and_mirror_half() -> None:
    corners = np.array([[0.0, 0.0], [127.0, 0.0], [127.0, 127.0], [0.0, 127.0]])
    mirrored = 0
    random = rng(5)
    for _ in range(400):
        matrix = augment.random_placement(128, 1.0, 0.5, random)
        determinant = np.linalg.det(matrix[:, :2])
        mirrored += determinant < 0
        assert 0.81 <= abs(determinant) <= 1.21
        centre = matrix @ [63.5, 63.5, 1]
        assert np.abs(centre - 63.5).max() <= 0.05 * 128 + 1e-6
        if determinant > 0:
            similar = umeyama(corners, corners @ matrix[:, :2].T + matrix[:, 2])
            assert abs(np.degrees(np.arctan2(similar[1, 0], similar[0, 0]))) <= 10.001
    assert 150 < mirrored < 250


def test_noise_and_blur_change_the_picture_but_not_its_brightness(crop: Image) -> None:
    for change in (augment.add_noise, augment.motion_blur, augment.degrade):
        for seed in range(4):
            changed = change(crop, rng(seed))
            assert changed.shape == crop.shape
            assert not np.array_equal(changed, crop)
            assert abs(changed.mean() - crop.mean()) < 3


def test_input_and_target_are_moved_alike(crop: Image) -> None:
    """Without a warp the input is the target, however the crop was moved."""
    place = augment.random_placement(128, 1.0, 1.0, rng(7))
    sample = augment.warp(crop, crop[..., :1], place, 64, 0.8, 0.0, rng())
    assert np.abs(sample.warped[2:-2, 2:-2].astype(int) - sample.target[2:-2, 2:-2]).max() <= 2


def test_another_light_changes_levels_smoothly_and_keeps_the_face(crop: Image) -> None:
    for seed in range(6):
        lit = augment.relight(crop, rng(seed))
        assert (lit.shape, lit.dtype) == (crop.shape, np.uint8)
        assert np.abs(lit.astype(int) - crop).mean() > 2
        assert np.corrcoef(lit[..., 1].ravel(), crop[..., 1].ravel())[0, 1] > 0.8

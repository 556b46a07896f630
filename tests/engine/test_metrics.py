"""PSNR and SSIM, of pictures and inside the face of paired videos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from faceengine.errors import InputError
from faceengine.evaluation.metrics import MOST, box_scores, cut_box, paired_scores, psnr, ssim
from faceengine.geometry import Image


def picture(seed: int, height: int = 40, width: int = 50) -> Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.GaussianBlur(values, (0, 0), 2)


def test_psnr_by_hand() -> None:
    grey = np.full((8, 8, 3), 100, np.uint8)
    assert psnr(grey, grey + 10) == pytest.approx(10 * np.log10(255**2 / 100))
    assert psnr(grey + 10, grey) == psnr(grey, grey + 10)
    assert psnr(grey, grey) == float("inf")
    assert psnr(grey.astype(np.float32), grey + 10) == psnr(grey, grey + 10)


def test_ssim_equals_scikit_image() -> None:
    one = picture(0)
    other = np.clip(one + np.random.default_rng(1).normal(0, 9, one.shape), 0, 255).astype(np.uint8)
    luma = [image @ np.array([0.299, 0.587, 0.114]) for image in (one, other)]
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    assert ssim(one, other) == pytest.approx(structural_similarity(*luma, **settings), abs=1e-9)


def test_ssim_of_equal_and_of_inverted_pictures() -> None:
    one = picture(2)
    assert ssim(one, one) == pytest.approx(1)
    assert ssim(one, 255 - one) < 0.5


@pytest.mark.parametrize("other", [np.zeros((10, 50, 3), np.uint8), np.zeros((40, 51, 3), np.uint8)])
def test_ssim_refuses_what_it_cannot_compare(other: Image) -> None:
    with pytest.raises(ValueError, match="11"):
        ssim(other if other.shape[0] == 10 else picture(3), other)


def test_box_is_cut_at_the_border() -> None:
    image = picture(4)
    np.testing.assert_array_equal(cut_box(image, np.array([-5.0, 3.4, 10.6, 99.0])), image[3:, :11])
    assert box_scores(image, image, np.array([45.0, 0, 90, 40])) is None
    assert box_scores(image, image, np.array([0.0, 0, 30, 30])) == (MOST, pytest.approx(1))


@pytest.mark.parametrize(("person", "truth", "expected"), [("a", "a2b", 22.7), ("b", "b2a", 21.4)])
def test_no_swap_at_all_has_the_known_psnr(demo_a: Path, person: str, truth: str, expected: float) -> None:
    original = demo_a.with_name(f"held_out_{person}.mp4")
    scores = paired_scores(original, demo_a.with_name(f"truth_{truth}.mp4"), original=original, every=10)
    assert scores.frames == 25
    assert scores.psnr_face == pytest.approx(expected, abs=0.4)
    assert 0.7 < scores.ssim_face < 0.9


def test_a_perfect_swap_has_the_most(short_a: Path) -> None:
    scores = paired_scores(short_a, short_a, every=20)
    assert (scores.psnr_face, scores.ssim_face, scores.frames) == (MOST, pytest.approx(1), 3)


def test_videos_without_a_face_or_of_another_size_are_refused(short_a: Path, tmp_path: Path) -> None:
    from faceengine.video import VideoWriter

    grey, small = tmp_path / "grey.mp4", tmp_path / "small.mp4"
    for path, width in ((grey, 640), (small, 320)):
        with VideoWriter(path, width, 480, 25) as video:
            for _ in range(3):
                video.write(np.full((480, width, 3), 90, np.uint8))
    with pytest.raises(InputError) as error:
        paired_scores(short_a, grey)
    assert error.value.code == "score.no_face"
    with pytest.raises(InputError) as error:
        paired_scores(short_a, small)
    assert error.value.code == "score.size"

"""Steadied points: still when the face is, and not late when it moves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from faceengine.conversion.smoothing import PointFilter

FPS, SIZE = 25.0, 120.0
Track = NDArray[np.float64]


def filtered(track: Track, smoothing: float, size: float = SIZE, fps: float = FPS) -> Track:
    steady = PointFilter(smoothing)
    return np.array([steady(points, index / fps, size) for index, points in enumerate(track)])


def trembling(frames: int = 200, seed: int = 0) -> Track:
    return np.random.default_rng(seed).normal(0, 0.8, (frames, 5, 2)) + 300


def tremble(track: Track) -> float:
    """Mean change from frame to frame, in pixels, after the filter has settled."""
    return float(np.abs(np.diff(track[25:], axis=0)).mean())


def test_zero_is_the_input_itself() -> None:
    track = trembling()
    assert np.array_equal(filtered(track, 0.0), track)


def test_more_smoothing_trembles_less() -> None:
    track = trembling()
    amounts = [tremble(filtered(track, smoothing)) / tremble(track) for smoothing in (0, 0.25, 0.5, 1)]
    assert amounts[0] == 1
    assert amounts[0] > amounts[1] > amounts[2] > amounts[3]
    assert amounts[2] < 0.5
    assert amounts[3] < 0.25


@pytest.mark.parametrize("smoothing", [0.5, 1.0])
@pytest.mark.parametrize("speed", [1.0, 3.0, 10.0])
def test_a_moving_face_trails_by_a_hundredth_of_its_size_at_most(smoothing: float, speed: float) -> None:
    """At constant speed a low-pass of cut-off f trails by v / (2πf), and f is at least SPEED·v."""
    track = np.arange(100)[:, None, None] * np.full((1, 5, 2), speed / np.sqrt(2))
    behind = np.linalg.norm(track[-1] - filtered(track, smoothing)[-1], axis=1)
    assert behind.max() < SIZE / 100 * 1.3


def test_a_still_face_keeps_its_mean() -> None:
    assert filtered(trembling(400), 1.0)[50:].mean() == pytest.approx(300, abs=0.2)


def test_near_and_far_faces_are_steadied_alike() -> None:
    near = trembling()
    assert np.allclose(filtered(near * 4, 0.5, SIZE * 4), filtered(near, 0.5) * 4)


def test_one_restless_point_does_not_free_the_others() -> None:
    track = trembling()
    restless = track.copy()
    restless[:, 0] += 20 * np.sin(np.arange(len(track)))[:, None]
    assert np.array_equal(filtered(restless, 0.5)[:, 1:], filtered(track, 0.5)[:, 1:])


def test_the_first_frame_and_a_clock_that_jumps_back_start_anew() -> None:
    steady = PointFilter(1.0)
    first, other = np.zeros((5, 2)), np.full((5, 2), 50.0)
    assert np.array_equal(steady(first, 3.0, SIZE), first)
    assert np.array_equal(steady(other, 1.0, SIZE), other)

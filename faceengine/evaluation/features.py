"""Do eyes and mouth do what the footage's do: openings from landmarks, gaze from the dark of the iris."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.evaluation.motion import FEWEST, eye_distance
from faceengine.geometry import Image, Points

EYES = (range(36, 42), range(42, 48))
_EYE_SIDE = 48
"""Pixels between an eye's corners when its iris is looked for."""
STILL = {"lids": 0.012, "mouth": 0.015, "gaze": 0.02}
"""Standard deviation in the footage below which there is no movement to follow, only the landmarks' noise."""


@dataclass(frozen=True)
class Features:
    """One face. ``lids``: mean opening of both eyes in eye widths; ``mouth``: opening between the lips in eye
    distances; ``gaze``: where the irises are between outer and inner corners, mean of both eyes, in eye widths."""

    lids: float
    mouth: float
    gaze: float


def measure_features(image: Image, landmarks: Points) -> Features:
    """The features of one face, ``image`` ``(H, W, 3)`` RGB, ``landmarks`` ``(68, 2)``."""
    lids = np.mean([_opening(landmarks[list(eye)]) for eye in EYES])
    mouth = np.linalg.norm(landmarks[62] - landmarks[66]) / float(eye_distance(landmarks))
    return Features(float(lids), float(mouth), float(np.mean([_iris(image, landmarks[list(eye)]) for eye in EYES])))


def _opening(eye: Points) -> float:
    """Height over width of ``(6, 2)`` points: corner, two of the upper lid, corner, two of the lower lid."""
    height = np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])
    return float(height / 2 / max(float(np.linalg.norm(eye[3] - eye[0])), 1e-6))


def _iris(image: Image, eye: Points) -> float:
    """How far the dark of the eye lies from its left to its right corner, 0 … 1."""
    left, right = eye[0], eye[3]
    across = (right - left) / max(float(np.linalg.norm(right - left)), 1e-6)
    scale = _EYE_SIDE / max(float(np.linalg.norm(right - left)), 1e-6)
    turn = scale * np.array([[across[0], across[1]], [-across[1], across[0]]])
    shift = np.array([_EYE_SIDE / 4, _EYE_SIDE / 2]) - turn @ left
    matrix = np.column_stack([turn, shift])
    size = (_EYE_SIDE * 3 // 2, _EYE_SIDE)
    luma = cv2.cvtColor(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE), cv2.COLOR_RGB2GRAY)
    inside: NDArray[np.uint8] = np.zeros(size[::-1], np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.rint(eye @ turn.T + shift).astype(np.int32)), 1)
    if not inside.any():
        return 0.5
    dark = 255.0 - luma.astype(np.float64)
    dark = np.where(inside > 0, np.maximum(dark - np.percentile(dark[inside > 0], 60), 0), 0)
    if dark.sum() < 1e-6:
        return 0.5
    return float((dark.sum(axis=0) @ np.arange(size[0]) / dark.sum() - _EYE_SIDE / 4) / _EYE_SIDE)


def follow(result: Sequence[Features], original: Sequence[Features]) -> dict[str, float | None]:
    """Correlation over frames of each feature of the result with the footage's, in [-1, 1].

    ``None`` below :data:`faceengine.evaluation.motion.FEWEST` frames, or where the footage holds still.
    """
    return {name: _correlation(_column(result, name), _column(original, name), STILL[name]) for name in STILL}


def _column(features: Sequence[Features], name: str) -> NDArray[np.float64]:
    return np.array([getattr(one, name) for one in features])


def _correlation(mine: NDArray[np.float64], theirs: NDArray[np.float64], still: float) -> float | None:
    if len(mine) < FEWEST or theirs.std() < still:
        return None
    return 0.0 if mine.std() < 1e-9 else float(np.corrcoef(mine, theirs)[0, 1])

"""Does the new face move as the old one did: expression error and trembling, from landmarks of both videos."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.embedding.chips import five_points
from faceengine.evaluation.sharpness import inner_face
from faceengine.geometry import Image, Points, align_matrix, transform, warp

FEWEST = 10
"""Frames below which a person's mean face is not known well enough to tell expression from looks."""
# A face that jumps by half its eye distance between neighbours is another shot, not motion.
_CUT = 0.5


def eye_distance(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels between the eyes' centres of ``(..., 68, 2)`` landmarks."""
    left, right = landmarks[..., 36:42, :].mean(axis=-2), landmarks[..., 42:48, :].mean(axis=-2)
    return np.asarray(np.linalg.norm(right - left, axis=-1))


def expression_errors(result: Sequence[Points], original: Sequence[Points]) -> NDArray[np.float64]:
    """How far the expression is from the original's, a frame: ``N`` landmarks ``(68, 2)`` each → ``(N,)``.

    Each face is laid upright by its own five points and scaled to eye distance 1; from each person's faces their mean
    over the clip is taken away, so that looks don't count as expression; what is left is compared: the mean over the
    68 points of the distance, in eye distances. Raises ``ValueError`` for fewer than :data:`FEWEST` frames.
    """
    if len(result) != len(original) or len(result) < FEWEST:
        raise ValueError(f"at least {FEWEST} frames of both are needed, not {len(result)} and {len(original)}")
    mine, theirs = _expressions(result), _expressions(original)
    return np.asarray(np.linalg.norm(mine - theirs, axis=-1).mean(axis=-1))


def landmark_jitter(frames: Sequence[int], result: Sequence[Points], original: Sequence[Points]) -> float | None:
    """How much the new face trembles on its own: root mean square, in eye distances a frame.

    ``result − original`` takes the footage's own motion away; what that difference changes by from one frame to the
    next is trembling. Only neighbouring frames of one shot count; ``None`` if there are none.
    """
    mine, theirs = np.stack(result), np.stack(original)
    pairs = neighbours(frames, original)
    if not pairs.any():
        return None
    own = (mine - theirs) / eye_distance(theirs)[:, None, None]
    steps = np.diff(own, axis=0)[pairs]
    return float(np.sqrt((steps**2).sum(axis=-1).mean()))


def colour_jitter(
    frames: Sequence[int],
    result: Sequence[NDArray[np.float64]],
    original: Sequence[NDArray[np.float64]],
    landmarks: Sequence[Points],
) -> float | None:
    """How much the new face flickers on its own: root mean square of the change of ``result − original`` from one
    frame to the next, of mean colours ``(3,)`` in 8-bit levels. ``None`` without neighbouring frames."""
    pairs = neighbours(frames, landmarks)
    if not pairs.any():
        return None
    steps = np.diff(np.stack(result) - np.stack(original), axis=0)[pairs]
    return float(np.sqrt(np.mean(steps**2)))


FLICKER_SIDE = 96


def aligned_difference(result: Image, original: Image, landmarks: Points) -> NDArray[np.float32]:
    """Luma of result minus footage in the upright crop, ``(96, 96)``: what the swap changed, without the head's motion.

    ``landmarks`` are the footage's; outside the face the difference counts as 0.
    """
    matrix = align_matrix(five_points(landmarks), FLICKER_SIDE)
    mine, theirs = (
        cv2.cvtColor(warp(image, matrix, FLICKER_SIDE), cv2.COLOR_RGB2GRAY).astype(np.float32)
        for image in (result, original)
    )
    return np.where(inner_face(transform(landmarks, matrix), FLICKER_SIDE), mine - theirs, np.float32(0))


def flicker(before: NDArray[np.float32], now: NDArray[np.float32]) -> float:
    """How much the swap changes between two frames inside the face: root mean square of two
    :func:`aligned_difference` pictures, in 8-bit levels."""
    inside = (before != 0) & (now != 0)
    return float(np.sqrt(np.mean(np.square(now[inside] - before[inside])))) if inside.any() else 0.0


def neighbours(frames: Sequence[int], original: Sequence[Points]) -> NDArray[np.bool_]:
    """``(N − 1,)``: whether a frame and the next listed one follow each other in one shot."""
    places = np.stack(original)
    moved = np.linalg.norm(np.diff(places.mean(axis=1), axis=0), axis=-1)
    return np.asarray((np.diff(frames) == 1) & (moved < _CUT * eye_distance(places)[1:]))


def _expressions(faces: Sequence[Points]) -> NDArray[np.float64]:
    upright = np.stack([transform(face, align_matrix(five_points(face), 1)) for face in faces])
    upright /= eye_distance(upright)[:, None, None]
    return np.asarray(upright - upright.mean(axis=0))

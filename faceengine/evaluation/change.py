"""What the swap did to a frame: was the face changed at all, where, and does its edge show."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.evaluation.motion import eye_distance
from faceengine.geometry import Image, Points

# Re-encoding the demo's clips at crf 28 stays below these limits in every frame, at crf 38 (as if smeared) in 92 to
# 98 %; the true swaps are at three times them.
_RATIO = 3.0
_LEVELS = 3.0
# More than an encoder leaves far from the face: what differs more there was put on purpose, as the visible label is.
_DRAWN = 12.0
_BLUR = 0.02
# Encoders and Poisson blending reach a little beyond the face; farther out a swap changes nothing.
_FAR = 1.0
_BAND = 0.02


@dataclass(frozen=True)
class Change:
    """How much a frame differs from the frame before the swap: mean absolute difference in 8-bit levels.

    Differences are blurred first (2 % of the eye distance): noise and what an encoder leaves cancel out, another face
    does not.
    """

    inside: float
    """Inside the face's outline."""
    outside: float
    """Far from the face, where nothing was drawn: what encoding alone does. 0 when the face fills the frame."""

    @property
    def limit(self) -> float:
        """The least change inside that encoding does not explain."""
        return max(_RATIO * self.outside, self.outside + _LEVELS)

    @property
    def swapped(self) -> bool:
        """Whether the face was replaced, as far as pixels tell."""
        return self.inside > self.limit


def face_hull(landmarks: Points, shape: tuple[int, ...]) -> Image:
    """``(H, W)`` uint8 mask, 1 inside the convex hull of ``(68, 2)`` landmarks."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(landmarks.round().astype(np.int32)), 1)
    return mask


def measure_change(result: Image, original: Image, landmarks: Points) -> Change:
    """Compare two ``(H, W, 3)`` frames inside and far from the face with these ``(68, 2)`` landmarks."""
    difference = _difference(result, original, landmarks)
    x0, y0, x1, y1 = _around(landmarks, _FAR, result.shape)
    far = np.ones(result.shape[:2], bool)
    far[y0:y1, x0:x1] = False
    inside = cv2.mean(difference, mask=face_hull(landmarks, result.shape))[:3]
    outside = difference[far].mean(axis=1)
    outside = outside[outside < _DRAWN]
    return Change(float(np.mean(inside)), float(outside.mean()) if outside.size else 0.0)


def seam(result: Image, original: Image, landmarks: Points, change: Change) -> float | None:
    """How much the swap's edge shows: luma levels a pixel by which the picture is steeper there than it was.

    The edge is the outline (convex hull) of what changed around the face; along a band of 2 % of the face's width
    on both sides the mean gradient of the original is taken from the result's. 0 is invisible, below 0 the edge is
    smoother than the footage was. ``None`` when nothing changed.
    """
    x0, y0, x1, y1 = _around(landmarks, 0.5, result.shape)
    result, original = result[y0:y1, x0:x1], original[y0:y1, x0:x1]
    changed = _difference(result, original, landmarks).mean(axis=2) > change.limit
    points = cv2.findNonZero(_touching(changed, face_hull(landmarks - (x0, y0), changed.shape)))
    if points is None or len(points) < 3:
        return None
    outline = np.zeros(changed.shape, np.uint8)
    width = max(round(2 * _BAND * float(np.ptp(landmarks[:, 0]))), 3)
    cv2.polylines(outline, [cv2.convexHull(points)], True, 1, thickness=width)
    return cv2.mean(_steepness(result), mask=outline)[0] - cv2.mean(_steepness(original), mask=outline)[0]


def _touching(changed: NDArray[np.bool_], hull: Image) -> Image:
    """``(H, W)`` uint8 mask of those patches of ``changed`` that reach into the face: a label beside it is none."""
    _, patches = cv2.connectedComponents(changed.astype(np.uint8))
    return np.asarray(changed & np.isin(patches, np.unique(patches[hull > 0])), np.uint8)


def mean_colour(image: Image, landmarks: Points) -> NDArray[np.float64]:
    """``(3,)`` mean RGB inside the face's outline."""
    return np.array(cv2.mean(image, mask=face_hull(landmarks, image.shape))[:3])


def _difference(result: Image, original: Image, landmarks: Points) -> NDArray[np.float32]:
    """``(H, W, 3)`` absolute differences of blurred pictures."""
    signed = cv2.subtract(result, original, dtype=cv2.CV_32F)
    sigma = max(_BLUR * float(eye_distance(landmarks)), 1.0)
    return np.abs(np.asarray(cv2.GaussianBlur(signed, (0, 0), sigma), np.float32))


def _steepness(image: Image) -> NDArray[np.float32]:
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    # Scharr sums 16 weights a side over two pixels.
    dx, dy = cv2.Scharr(luma, cv2.CV_32F, 1, 0), cv2.Scharr(luma, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(dx, dy) / 32, np.float32)


def _around(landmarks: Points, margin: float, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The landmarks' rectangle, grown by ``margin`` of its size on each side, cut at the frame."""
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    grown = (high - low) * margin
    x0, y0 = np.maximum(low - grown, 0).astype(int)
    x1, y1 = np.minimum(high + grown + 1, [shape[1], shape[0]]).astype(int)
    return int(x0), int(y0), int(x1), int(y1)

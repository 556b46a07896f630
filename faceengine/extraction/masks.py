"""Masks of a crop's parts, drawn from its landmarks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.faceset import MASKS
from faceengine.geometry import Image, Points, face_outline

_PARTS = {
    "eyes": (range(36, 42), range(42, 48)),
    "brows": (range(17, 22), range(22, 27)),
    "nose": (range(27, 36),),
    "mouth": (range(48, 60),),
}
_GROW, _BLUR = 13, 7


def face_masks(landmarks: Points, size: int) -> dict[str, Image]:
    """The masks of :data:`faceengine.faceset.MASKS`, ``(size, size)`` each, 0 outside, 255 inside, soft between.

    ``landmarks`` ``(68, 2)`` in pixels of the crop. A part is the convex hull of its points, grown by a 13×13 square
    and blurred by a 7×7 Gaussian (both at 256 px, scaled with ``size``), as faceswap-GAN makes its eye mask. ``face``
    is the hull of jaw and brows, carried 15 % of the way chin–brows up the forehead, blurred but not grown: it ends at
    the face's edge and must not reach beyond it.
    """
    grow, blur = (_odd(kernel * size / 256) for kernel in (_GROW, _BLUR))
    masks = {}
    for name in MASKS:
        hulls = [landmarks[list(points)] for points in _PARTS[name]] if name in _PARTS else [face_outline(landmarks)]
        mask = np.zeros((size, size), np.uint8)
        # Four more bits of the coordinates: whole pixels would make the mask tremble from frame to frame.
        corners = [np.asarray(cv2.convexHull((hull * 16).round().astype(np.int32)), np.int32) for hull in hulls]
        for hull in corners:
            cv2.fillConvexPoly(mask, hull, 255, lineType=cv2.LINE_AA, shift=4)
        part = _around(mask, np.concatenate(corners) // 16, grow + blur)
        if part.size:
            if name in _PARTS:
                cv2.dilate(part, np.ones((grow, grow), np.uint8), dst=part)
            cv2.GaussianBlur(part, (blur, blur), 0, dst=part)
        masks[name] = mask
    return masks


def _around(mask: Image, points: NDArray[np.int32], margin: int) -> Image:
    """A view of the part of ``mask`` that holds the points and a margin around them: the rest stays black."""
    x0, y0 = np.maximum(points.min(axis=(0, 1)) - margin, 0)
    x1, y1 = np.maximum(points.max(axis=(0, 1)) + margin + 1, 0)
    return mask[y0:y1, x0:x1]


def _odd(value: float) -> int:
    return 2 * round((value - 1) / 2) + 1

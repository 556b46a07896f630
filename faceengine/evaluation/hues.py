"""Wrong hues: blue or purple blotches that a decoder draws where it never learned what a face looks like.

A colour is wrong if neither the footage's faces nor the target person's crops have anything near it, in their own light
or in the footage's.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.embedding.chips import five_points
from faceengine.evaluation.sharpness import FEWEST_PIXELS, SIDE, inner_face
from faceengine.geometry import Image, Points, align_matrix, transform, warp

Hues = NDArray[np.uint16]
"""``(32, 32)``: pixels of a face by a* and b* (8-bit CIE Lab), eight levels a cell."""

_LEVELS, _CELLS = 8, 32
_DARK = 50
"""L* (of 255) below which a hue is noise."""
_RARE = 2e-4
"""Share of a person's pixels below which a cell's colour doesn't count as theirs."""
_NEAR = np.ones((3, 3), np.uint8)
"""A colour may lie in a cell beside a known one: 8 to 16 levels off."""
BLOTCHED = 0.01
"""Share of wrong pixels in a face from which the frame counts as blotched."""


def hues(image: Image, landmarks: Points) -> Hues | None:
    """Count the colours inside the face, ``image`` ``(H, W, 3)`` RGB, ``landmarks`` ``(68, 2)``; ``None`` if there are
    too few pixels."""
    matrix = align_matrix(five_points(landmarks), SIDE)
    crop = cv2.GaussianBlur(warp(image, matrix, SIDE), (0, 0), 1.5)
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)[inner_face(transform(landmarks, matrix), SIDE)]
    lab = lab[lab[:, 0] >= _DARK]
    if len(lab) < FEWEST_PIXELS:
        return None
    cells = (lab[:, 1].astype(int) // _LEVELS) * _CELLS + lab[:, 2] // _LEVELS
    return np.bincount(cells, minlength=_CELLS**2).reshape(_CELLS, _CELLS).astype(np.uint16)


def total(parts: Iterable[Hues | None]) -> NDArray[np.int64]:
    """Return the sum of all that are known."""
    counts = np.zeros((_CELLS, _CELLS), np.int64)
    for part in parts:
        if part is not None:
            counts += part
    return counts


def wrong_shares(drawn: Iterable[Hues], footage: NDArray[np.int64], wanted: NDArray[np.int64]) -> list[float]:
    """Return for each drawn face the share of its pixels whose colour is nobody's, 0 … 1.

    ``footage`` and ``wanted``: :func:`total` of the faces before the swap and of the target person's crops, whose
    colours also count when they are moved to the footage's mean, as a conversion does with the drawn face.
    """
    known = _present(footage) | _present(wanted) | _present(_moved(wanted, footage))
    allowed = cv2.dilate(known.astype(np.uint8), _NEAR).astype(bool)
    return [float(face[~allowed].sum() / face.sum()) for face in drawn]


def _present(counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(counts > _RARE * max(int(counts.sum()), 1))


def _moved(counts: NDArray[np.int64], to: NDArray[np.int64]) -> NDArray[np.int64]:
    """Shift a person's colours so that their mean is that of ``to``."""
    if not counts.any() or not to.any():
        return counts
    shift = np.rint(_mean(to) - _mean(counts)).astype(int)
    rows, columns = np.nonzero(counts)
    moved = np.zeros_like(counts)
    places = np.clip(np.stack([rows, columns]) + shift[:, None], 0, _CELLS - 1)
    np.add.at(moved, tuple(places), counts[rows, columns])
    return moved


def _mean(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean cell ``(2,)``."""
    cells = np.indices(counts.shape)
    return np.asarray((cells * counts).sum(axis=(1, 2)) / counts.sum())

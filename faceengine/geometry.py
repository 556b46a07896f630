"""The canonical face and the similarity that maps a found face onto it.

Points are ``(N, 2)`` float arrays of (x, y) in pixels, x to the right, y down, pixel centres at whole numbers.
Matrices are ``(2, 3)`` and map (x, y, 1) of the frame to (x, y) of the crop.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Matrix = NDArray[np.float64]
Image = NDArray[np.uint8]

CANONICAL_POINTS: Points = np.array(
    [[0.3259, 0.3134], [0.7228, 0.3108], [0.5187, 0.5524], [0.3726, 0.7752], [0.6773, 0.7760]]
)
"""Left eye, right eye (as seen in the picture), nose, mouth corners as (x, y) shares of the crop: faceswap-GAN v2.2."""


_FOREHEAD = 0.15


def umeyama(source: Points, target: Points) -> Matrix:
    """The least-squares similarity (rotation, uniform scale, translation) that takes ``source`` to ``target``.

    Both ``(N, 2)``, N ≥ 2. Never a reflection. Raises ``ValueError`` when the source points all coincide.
    Umeyama 1991, "Least-squares estimation of transformation parameters between two point patterns".
    """
    mean_source, mean_target = source.mean(axis=0), target.mean(axis=0)
    centred_source, centred_target = source - mean_source, target - mean_target
    variance = (centred_source**2).sum() / len(source)
    if variance < 1e-12:
        raise ValueError("all points coincide")
    u, singular, vt = np.linalg.svd(centred_target.T @ centred_source / len(source))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    linear = (u * sign) @ vt * (singular @ sign / variance)
    return np.column_stack([linear, mean_target - linear @ mean_source])


def align_matrix(points: Points, size: int, coverage: float = 1.0) -> Matrix:
    """The matrix that takes a face's five points ``(5, 2)`` to the canonical face in a ``size``-pixel crop.

    With ``coverage`` below 1 only that central share of the canonical crop fills the ``size`` pixels: what a model
    sees, in training and in conversion alike.
    """
    canonical = (CANONICAL_POINTS - 0.5) / coverage + 0.5
    # Half a pixel, because shares count from the crop's border and pixels from their centres: without it crops of
    # different sizes would not show quite the same.
    return umeyama(points, canonical * size - 0.5)


def invert(matrix: Matrix) -> Matrix:
    """The exact inverse of a ``(2, 3)`` similarity."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def transform(points: Points, matrix: Matrix) -> Points:
    """``(N, 2)`` points through a ``(2, 3)`` matrix."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def scale_of(matrix: Matrix) -> float:
    """Crop pixels per frame pixel of a similarity."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def warp(image: Image, matrix: Matrix, size: int) -> Image:
    """Cut the aligned ``(size, size, 3)`` crop out of ``image``; what lies outside the frame is replicated."""
    # Shrinking by more than two with plain bilinear sampling aliases: skin texture would flicker between frames.
    if scale_of(matrix) < 0.5:
        image, matrix = _surroundings(image, matrix, size)
    while scale_of(matrix) < 0.5 and min(image.shape[:2]) > 1:
        image, matrix = _halve(image, matrix)
    crop = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast(Image, crop)


def _surroundings(image: Image, matrix: Matrix, size: int) -> tuple[Image, Matrix]:
    """The part of the frame that the crop shows, a little more around it, and the matrix from there."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], float)
    places = transform(corners, invert(matrix))
    margin, sides = 4 / scale_of(matrix), np.array(image.shape[1::-1])
    # In whole sixteens, so that halving pairs the same pixels as it would in the whole frame.
    first = np.clip(places.min(axis=0) - margin, 0, sides - 1) // 16 * 16
    last = np.clip(np.ceil((places.max(axis=0) + margin) / 16) * 16, first + 1, sides)
    (x0, y0), (x1, y1) = first.astype(int), last.astype(int)
    return image[y0:y1, x0:x1], np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ first])


def _halve(image: Image, matrix: Matrix) -> tuple[Image, Matrix]:
    """The frame at half its size, and the matrix that gives the same crop from it."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    factors = np.array([image.shape[1] / width, image.shape[0] / height])
    # A small pixel's centre x lies at factor·(x + ½) − ½ of the larger picture.
    offset = matrix[:, :2] @ ((factors - 1) / 2)
    smaller = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return cast(Image, smaller), np.column_stack([matrix[:, :2] * factors, matrix[:, 2] + offset])


def square_box(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """(x0, y0, x1, y1) → the square of the same area and the same centre."""
    x0, y0, x1, y1 = box
    half = np.sqrt(max(x1 - x0, 0.0) * max(y1 - y0, 0.0)) / 2
    centre_x, centre_y = (x0 + x1) / 2, (y0 + y1) / 2
    return np.array([centre_x - half, centre_y - half, centre_x + half, centre_y + half])


def iou(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Intersection over union of two (x0, y0, x1, y1) boxes, in [0, 1]."""
    overlap = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    if (overlap <= 0).any():
        return 0.0
    shared = float(overlap.prod())
    return shared / float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - shared)


def shared(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Intersection over the smaller of the areas of two (x0, y0, x1, y1) boxes, in [0, 1]."""
    overlap = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    if (overlap <= 0).any():
        return 0.0
    return float(overlap.prod() / max(1e-9, min((one[2:] - one[:2]).prod(), (other[2:] - other[:2]).prod())))


def face_outline(landmarks: Points) -> Points:
    """The points ``(N, 2)`` whose convex hull is the face with these ``(68, 2)`` landmarks: jaw and brows, the brows
    once more 15 % of the way chin–brows further up."""
    up = (landmarks[17:27].mean(axis=0) - landmarks[8]) * _FOREHEAD
    return np.concatenate([landmarks[:27], landmarks[17:27] + up])


def share_outside(landmarks: Points, width: int, height: int) -> float:
    """How much of the face's area lies outside a frame of that size, in [0, 1]; 0 where landmarks are missing."""
    if landmarks.shape != (68, 2) or not np.isfinite(landmarks).all():
        return 0.0
    outline = cv2.convexHull(face_outline(landmarks).astype(np.float32))
    area = float(cv2.contourArea(outline))
    # Pixels reach half their side beyond their centres.
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    inside, _ = cv2.intersectConvexConvex(outline, corners)
    return min(1.0, max(0.0, 1 - float(inside) / area)) if area > 0 else 0.0

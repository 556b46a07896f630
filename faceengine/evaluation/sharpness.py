"""How much fine detail a face shows: the energy of its high frequencies, measured at one size for all."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.embedding.chips import five_points
from faceengine.geometry import Image, Matrix, Points, align_matrix, transform, warp

Mask = NDArray[np.bool_]

SIDE = 224
"""Pixels of the upright crop that is measured; a face in it is about as large as in 720p footage."""
DRAW_BACK = 1 / 8
"""How far the hull of jaw and brows is drawn back, as a share of its width: the seam and the outline do not count."""
FEWEST_PIXELS = 300


def detail_energy(image: Image, landmarks: Points) -> float | None:
    """Mean square of the Laplacian of the luma inside the face, after a blur of one pixel, at :data:`SIDE`.

    ``image`` ``(H, W, 3)`` RGB and the face's ``(68, 2)`` landmarks in it. The blur leaves out what is noise or an
    encoder's blocks. ``None`` if too little of the face lies in the picture.
    """
    matrix = align_matrix(five_points(landmarks), SIDE)
    inner = inner_face(transform(landmarks, matrix), SIDE) & _inside(image, matrix)
    if np.count_nonzero(inner) < FEWEST_PIXELS:
        return None
    luma = cv2.cvtColor(warp(image, matrix, SIDE), cv2.COLOR_RGB2GRAY).astype(np.float32)
    edges = cv2.Laplacian(cv2.GaussianBlur(luma, (0, 0), 1.0), cv2.CV_32F)
    return float(np.mean(np.square(edges[inner])))


def _inside(image: Image, matrix: Matrix) -> Mask:
    """Which pixels of the upright crop lie in the picture, and are not its border carried on."""
    ones = np.ones(image.shape[:2], np.uint8)
    return cv2.warpAffine(ones, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_CONSTANT, borderValue=(0,)).astype(bool)


def inner_face(landmarks: Points, side: int) -> Mask:
    """``(side, side)``: the hull of jaw and brows, drawn back by :data:`DRAW_BACK`."""
    outline = cv2.convexHull(np.rint(landmarks[:27]).astype(np.int32))
    mask = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(mask, outline, 1)
    reach = int(np.ptp(landmarks[:27, 0]) * DRAW_BACK) | 1
    drawn = cv2.erode(mask, np.ones((reach, reach), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return drawn.astype(bool)

"""Aligned chips as the embedding networks want them."""

from __future__ import annotations

import numpy as np

from faceengine.geometry import Image, Points, align_matrix, invert, scale_of, umeyama, warp

_DLIB_PADDING = 0.25
# Nose, eyes, upper lip: brows and lower lip move too much with the expression to align by.
_DLIB_USED = np.r_[27:55, 60:65]
# dlib's mean face at these points, as shares of the face's own square.
_DLIB_MEAN: Points = np.array(
    [
        *[(0.490127, 0.203352), (0.490127, 0.307009), (0.490127, 0.409805), (0.490127, 0.515625)],
        *[(0.366880, 0.587326), (0.426036, 0.609345), (0.490127, 0.628106), (0.554217, 0.609345), (0.613373, 0.587326)],
        *[(0.121737, 0.216423), (0.187122, 0.178758), (0.265825, 0.179852)],
        *[(0.334606, 0.231733), (0.260918, 0.245099), (0.182743, 0.244077)],
        *[(0.645647, 0.231733), (0.714428, 0.179852), (0.793132, 0.178758)],
        *[(0.858516, 0.216423), (0.797510, 0.244077), (0.719335, 0.245099)],
        *[(0.254149, 0.780233), (0.340985, 0.745405), (0.428858, 0.727388), (0.490127, 0.742578)],
        *[(0.551395, 0.727388), (0.639268, 0.745405), (0.726104, 0.780233)],
        *[(0.290379, 0.784792), (0.428096, 0.778746), (0.490127, 0.785343), (0.552157, 0.778746), (0.689874, 0.784792)],
    ]
)
# The published network was trained on MTCNN boxes with a margin: its eyes stand about 0.32 of the chip apart, the
# canonical face's 0.40.
_FACENET_COVERAGE = 1.2


def dlib_chip(image: Image, landmarks: Points, size: int) -> Image:
    """The ``(size, size, 3)`` chip that dlib's ``get_face_chip(image, landmarks, size, 0.25)`` cuts.

    ``image`` ``(H, W, 3)`` RGB, ``landmarks`` ``(68, 2)`` in its pixels.
    """
    mean = (_DLIB_PADDING + _DLIB_MEAN) / (2 * _DLIB_PADDING + 1) * size
    # dlib fits the way from the chip to the picture, which weighs the points otherwise than the way back would.
    to_image = umeyama(mean, landmarks[_DLIB_USED])
    # It then takes the fit's square, of size·scale pixels, as going from the first pixel's centre to the last one's.
    scale = scale_of(to_image)
    linear = to_image[:, :2] * ((size * scale - 1) / (size - 1) / scale)
    centre = to_image[:, :2].sum(axis=1) * size / 2 + to_image[:, 2]
    offset = centre - linear.sum(axis=1) * (size - 1) / 2
    return warp(image, invert(np.column_stack([linear, offset])), size)


def facenet_chip(image: Image, landmarks: Points, size: int) -> Image:
    """The ``(size, size, 3)`` upright chip, framed like the pictures that facenet was trained on."""
    return warp(image, align_matrix(five_points(landmarks), size, _FACENET_COVERAGE), size)


def five_points(landmarks: Points) -> Points:
    """``(68, 2)`` landmarks → ``(5, 2)`` left eye, right eye, nose, left and right mouth corner as seen."""
    return np.stack(
        [landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0), landmarks[30], landmarks[48], landmarks[54]]
    )

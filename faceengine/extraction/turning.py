"""Faces that lie on their side or stand on their head: the finder knows upright ones only, so the picture is turned.

A *turn* is the number of quarters counter-clockwise by which a picture must be turned for its faces to be upright.
Results are told in pixels of the picture as it was.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from faceengine.extraction.finder import Face, FaceFinder
from faceengine.faceset import Crop
from faceengine.geometry import Image, Matrix, invert, transform

SURE = 0.95
"""Score from which on a face is upright. Of turned ones the finder sees a part now and then, with less."""
_TRIES = (1, 24)
"""Looks without a face, since the last :meth:`TurningFinder.reset`, at which the picture is turned: three searches."""


class TurningFinder:
    """A finder that turns the picture where it finds nobody, and remembers the turn until it is reset."""

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self.reset()

    def reset(self) -> None:
        """Forget the last frame."""
        self._finder.reset()
        self._turn = 0
        self._looks = self._missed = 0
        self._sure = False

    def __call__(self, image: Image) -> tuple[Image, list[Face], int]:
        """Return ``(H, W, 3)`` uint8 RGB as it was turned, the faces in that, and the turn."""
        turned = turn(image, self._turn)
        faces = self._finder(turned)
        self._looks += 1
        self._sure |= _best(faces) >= SURE
        if not self._sure and (not faces or self._looks == 1):
            self._missed += 1
            if self._missed in _TRIES:
                return self._turned(image, turned, faces)
        return turned, faces, self._turn

    def _turned(self, image: Image, turned: Image, faces: list[Face]) -> tuple[Image, list[Face], int]:
        """Try the other turns, and take the one with the surest face."""
        best, before = max(_best(faces), SURE), self._turn
        for quarters in range(4):
            if quarters != before and (found := _best(self._finder.search(turn(image, quarters)))) >= best:
                best, self._turn = found, quarters
        if self._turn != before:
            self._sure = True
            self._finder.reset()
            turned = turn(image, self._turn)
            faces = self._finder(turned)
        return turned, faces, self._turn


def turn(image: Image, quarters: int) -> Image:
    """Return the picture turned counter-clockwise by so many quarters."""
    return image if quarters == 0 else np.ascontiguousarray(np.rot90(image, quarters))


def as_it_was(crop: Crop, quarters: int) -> Crop:
    """Return a crop of a turned picture with all places in pixels of the picture before."""
    if quarters == 0:
        return crop
    width, height = (crop.height, crop.width) if quarters % 2 else (crop.width, crop.height)
    there = _matrix(width, height, quarters)
    back = invert(there)
    corners = transform(crop.box.reshape(2, 2), back)
    linear = crop.matrix[:, :2] @ there[:, :2]
    offset = crop.matrix[:, :2] @ there[:, 2] + crop.matrix[:, 2]
    return dataclasses.replace(
        crop,
        width=width,
        height=height,
        box=np.concatenate([corners.min(axis=0), corners.max(axis=0)]),
        points=transform(crop.points, back),
        landmarks=transform(crop.landmarks, back),
        matrix=np.column_stack([linear, offset]),
        roll=(crop.roll + 90 * quarters + 180) % 360 - 180,
    )


def _matrix(width: int, height: int, quarters: int) -> Matrix:
    """Return where a pixel of a ``width`` × ``height`` picture is in the turned one: ``(2, 3)``."""
    matrices = {
        1: [[0, 1, 0], [-1, 0, width - 1]],
        2: [[-1, 0, width - 1], [0, -1, height - 1]],
        3: [[0, -1, height - 1], [1, 0, 0]],
    }
    return np.array(matrices[quarters], dtype=np.float64)


def _best(faces: list[Face]) -> float:
    return max((face.score for face in faces), default=0.0)

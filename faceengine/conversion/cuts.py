"""Where one shot ends and the next begins: what was followed must then be forgotten."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.geometry import Image

THUMB = (32, 18)
CHANGE = 16.0
"""Mean absolute difference of two thumbnails, in levels, from which on a cut is possible."""
JUMP = 4.0
"""A cut changes the picture this many times as much as the shot's own motion does."""


class CutFinder:
    """Call it with every frame in turn; it says whether this one starts a new shot (the first one does)."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._usual = 0.0

    def __call__(self, image: Image) -> bool:
        """``image`` is ``(H, W, 3)`` uint8 RGB, of any size."""
        # A few pixels stand for all: averaging every one of a large frame would cost as much as following its face.
        step = max(1, image.shape[0] // 144)
        thumb = np.asarray(
            cv2.resize(np.ascontiguousarray(image[::step, ::step]), THUMB, interpolation=cv2.INTER_AREA), np.float32
        )
        last, self._last = self._last, thumb
        if last is None:
            return True
        change = float(np.abs(thumb - last).mean())
        cut = change > CHANGE and change > JUMP * self._usual
        # A cut says nothing of the motion in the shot that it opens.
        self._usual = 0.0 if cut else 0.8 * self._usual + 0.2 * change
        return cut

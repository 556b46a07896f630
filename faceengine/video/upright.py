"""How a stored picture is turned and mirrored for display."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import av.video.frame
import cv2
import numpy as np

from faceengine.geometry import Image
from faceengine.video.filters import Filter, side_data


@dataclass(frozen=True)
class Turn:
    """Exchange rows and columns first, then mirror left and right, then top and bottom. All eight ways are these."""

    transpose: bool = False
    mirror: bool = False
    flip: bool = False

    def __call__(self, image: Image) -> Image:
        """``(H, W, 3)`` as it is displayed, contiguous."""
        if self == Turn():
            return image
        image = image.transpose(1, 0, 2) if self.transpose else image
        image = image[:, ::-1] if self.mirror else image
        return np.ascontiguousarray(image[::-1] if self.flip else image)

    @property
    def filters(self) -> list[Filter]:
        """The same as filters of FFmpeg."""
        steps: list[Filter] = [("transpose", {"dir": "cclock_flip"})] if self.transpose else []
        steps += [("hflip", {})] if self.mirror else []
        return steps + ([("vflip", {})] if self.flip else [])

    @property
    def rotation(self) -> int:
        """Degrees counter-clockwise, where nothing is mirrored."""
        if self.transpose:
            return 90 if self.flip else 270
        return 180 if self.flip else 0


def turn_of(frame: av.video.frame.VideoFrame) -> Turn:
    """The turn that a frame's display matrix asks for, to the nearest right angle."""
    matrix = side_data(frame).get("DISPLAYMATRIX")
    if matrix is None:
        return Turn()
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))  # type: ignore[call-overload]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Turn(False, a < 0, d < 0)
    return Turn(True, c < 0, b < 0)


def fit(image: Image, width: int, height: int) -> Image:
    """``image`` as large as it fits into ``width`` by ``height`` pixels, in the middle of black."""
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    borders = (top, height - size[1] - top, left, width - size[0] - left)
    return np.asarray(cv2.copyMakeBorder(small, *borders, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8)

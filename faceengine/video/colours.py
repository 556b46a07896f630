"""A decoded frame as upright RGB with square pixels."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av.video.frame
import av.video.plane
import av.video.stream
import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from faceengine.geometry import Image
from faceengine.video.filters import Chain, Filter, Look, colour_filters, look_of
from faceengine.video.upright import turn_of

_BT709, _UNTAGGED, _BT601, _SMPTE170M = 1, 2, 5, 6
_QUICK = (_BT709, _UNTAGGED, _BT601, _SMPTE170M)
_FULL_RANGE = 2
_FLAGS = "bilinear+accurate_rnd+full_chroma_int"
# Without the last two flags swscale is ten times as fast and a grey level too dark: a shift that adds up.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def _matrix(red: float, blue: float) -> NDArray[np.float64]:
    """``(3, 4)``: (Y, U, V, 1) of limited range → RGB, both in [0, 255], for the weights of red and blue in grey."""
    green = 1 - red - blue
    u, v = 2 * (1 - blue), 2 * (1 - red)
    mix = np.array([[1, 0, v], [1, -u * blue / green, -v * red / green], [1, u, 0]]) * 255 / [219, 224, 224]
    return np.column_stack([mix, -mix @ (16, 128, 128)])


_MATRICES = {"bt709": _matrix(0.2126, 0.0722), "smpte170m": _matrix(0.299, 0.114)}


class Picture:
    """A decoded frame that becomes RGB when somebody asks, once."""

    def __init__(self, painter: Painter, frame: av.video.frame.VideoFrame) -> None:
        self._painter, self._frame = painter, frame
        self._image: Image | None = None

    def __call__(self) -> Image:
        if self._image is None:
            self._image = self._painter(self._frame)
        return self._image


class Painter:
    """Makes the pictures of one track: upright RGB of BT.709 (sRGB's primaries), opaque, with square pixels."""

    def __init__(self, stream: av.video.stream.VideoStream) -> None:
        self._stream = stream
        self._kind: tuple[Look, int] | None = None
        self._chain = Chain([])
        self._quick = _Quick()

    def __call__(self, frame: av.video.frame.VideoFrame) -> Image:
        """``(H, W, 3)`` uint8. Raises :class:`InputError` ``video.dolby_vision``."""
        look = look_of(frame)
        width, _ = _square_pixel_size(self._stream, frame)
        if not look.is_plain:
            image = self._special(frame, look, width)
        elif _usual(frame) and look.space in _QUICK and width == frame.width:
            image = self._quick(frame, _MATRICES[look.matrix])
        else:
            image = _by_swscale(frame, look, width)
        return turn_of(frame)(image)

    def _special(self, frame: av.video.frame.VideoFrame, look: Look, width: int) -> Image:
        if (look, width) != self._kind:
            scale: Filter = ("scale", {"w": str(width), "h": str(frame.height), "flags": _FLAGS})
            self._kind = look, width
            self._chain = Chain([*colour_filters(look), scale, ("format", {"pix_fmts": "rgb24"})])
        return np.asarray(next(self._chain(frame)).to_ndarray(), np.uint8)


def _by_swscale(frame: av.video.frame.VideoFrame, look: Look, width: int) -> Image:
    untagged = _BT709 if look.matrix == "bt709" else _BT601
    source = untagged if look.space == _UNTAGGED else None
    made = frame.to_ndarray(
        format="rgb24", width=width, height=frame.height, src_colorspace=source, interpolation=_EXACT, threads=1
    )
    return np.asarray(made, np.uint8)


def _usual(frame: av.video.frame.VideoFrame) -> bool:
    """Whether it is stored as nearly every video is: 8 bits, limited range, chroma at half the size."""
    even = not (frame.width | frame.height) % 2
    return frame.format.name == "yuv420p" and frame.color_range != _FULL_RANGE and even


class _Quick:
    """The same colours as swscale's to within rounding, in a quarter of the time, for one frame after the other.

    What is large and not given away is used again: fresh memory is handed out page by page, which takes several times
    as long as the colours themselves.
    """

    def __init__(self) -> None:
        self._u: Any = None
        self._v: Any = None
        self._all: Any = None

    def __call__(self, frame: av.video.frame.VideoFrame, matrix: NDArray[np.float64]) -> Image:
        size = frame.width, frame.height
        y, u, v = (_rows(plane) for plane in frame.planes)
        self._u = cv2.resize(u, size, self._u, interpolation=cv2.INTER_LINEAR)
        self._v = cv2.resize(v, size, self._v, interpolation=cv2.INTER_LINEAR)
        self._all = cv2.merge([y, self._u, self._v], self._all)
        return np.asarray(cv2.transform(self._all, matrix), np.uint8)


def _rows(plane: av.video.plane.VideoPlane) -> Image:
    """``(h, w)``: the plane's own memory without what is behind each row."""
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, abs(plane.line_size))[:, : plane.width]
    return rows if plane.line_size > 0 else rows[::-1]


def _square_pixel_size(stream: av.video.stream.VideoStream, frame: av.video.frame.VideoFrame) -> tuple[int, int]:
    ratio = stream.sample_aspect_ratio or Fraction(1)
    return max(1, round(frame.width * (ratio if Fraction(1, 10) < ratio < 10 else 1))), frame.height


def displayed_size(stream: av.video.stream.VideoStream, frame: av.video.frame.VideoFrame) -> tuple[int, int]:
    width, height = _square_pixel_size(stream, frame)
    return (height, width) if turn_of(frame).transpose else (width, height)

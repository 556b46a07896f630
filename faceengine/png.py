"""PNG files, written fast: an extraction writes two for every face.

ISA-L's deflate takes a quarter of the time of zlib's at its fastest, for 5 % more bytes. A filter that would be tried
for every row costs more than it saves; one that suits the picture is named instead.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from isal import isal_zlib

from faceengine.geometry import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB = 0, 2
_NONE, _UP = 0, 2
_LEVEL = 1


def encode(image: Image) -> bytes:
    """``(H, W, 3)`` RGB or ``(H, W)`` grey, 8 bits, as a PNG file.

    Rows of colour are stored as their difference from the row above, which suits photos; grey ones as they are, which
    suits masks.
    """
    colour = image.ndim == 3
    height, width = image.shape[:2]
    values = image.reshape(height, -1)
    rows = np.empty((height, 1 + values.shape[1]), np.uint8)
    rows[:, 0] = _UP if colour else _NONE
    rows[:, 1:] = values
    if colour:
        # Unsigned bytes wrap around, as the format wants it.
        rows[1:, 1:] -= values[:-1]
    header = struct.pack(">IIBBBBB", width, height, 8, _RGB if colour else _GREY, 0, 0, 0)
    data = isal_zlib.compress(rows, _LEVEL)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))

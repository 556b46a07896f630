"""Small pictures for people to look at."""

from __future__ import annotations

from pathlib import Path

import cv2

from faceengine.files import replace_file
from faceengine.geometry import Image

_QUALITY = 90


def save_picture(path: Path, image: Image, *, widest: int | None = None) -> None:
    """Keep the ``(H, W, 3)`` RGB picture as a JPEG file that appears whole, at most ``widest`` pixels wide."""
    height, width = image.shape[:2]
    if widest is not None and width > widest:
        size = widest, max(1, round(height * widest / width))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    replace_file(path, data.tobytes())

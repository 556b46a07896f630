"""What is made of a file, and the small pictures that pages show of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from faceengine.files import replace_file
from faceengine.geometry import Image

POSTER = "poster.webp"
_POSTER_SIDE = 640
_STRIP_HEIGHT = 90
_WEBP_LONGEST = 16_383
_QUALITY = 82


@dataclass(frozen=True)
class Made:
    """The files' names in the run folder, and what is known of the picture or video."""

    file: str
    width: int
    height: int
    poster: str = POSTER
    filmstrip: str = ""
    frames: int = 1
    fps: float = 0.0
    duration: float = 0.0
    has_sound: bool = False


def write_poster(image: Image, path: Path) -> None:
    """``(H, W, 3)`` RGB as a WebP of at most 640 pixels a side."""
    picture = Pillow.fromarray(image)
    picture.thumbnail((_POSTER_SIDE, _POSTER_SIDE), Pillow.Resampling.LANCZOS)
    _write_webp(picture, path)


def write_filmstrip(images: Sequence[Image], path: Path) -> None:
    """Pictures of one size side by side, 90 pixels high, as a WebP."""
    height, width = images[0].shape[:2]
    each = min(max(1, round(width * _STRIP_HEIGHT / height)), _WEBP_LONGEST // len(images))
    small = [Pillow.fromarray(image).resize((each, _STRIP_HEIGHT), Pillow.Resampling.BOX) for image in images]
    _write_webp(Pillow.fromarray(np.hstack([np.asarray(picture) for picture in small])), path)


def _write_webp(picture: Pillow.Image, path: Path) -> None:
    data = io.BytesIO()
    picture.save(data, "WEBP", quality=_QUALITY, method=4)
    replace_file(path, data.getvalue())

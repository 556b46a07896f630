"""Photos in."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from faceengine.errors import InputError
from faceengine.geometry import Image
from faceengine.video.container import MAX_PIXELS

PHOTO_FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


def read_photo(path: Path) -> Image:
    """A photo as ``(H, W, 3)`` uint8 RGB, turned upright by its EXIF orientation.

    Raises :class:`InputError` ``photo.unreadable``, or ``photo.too_large`` above :data:`MAX_PIXELS`, which the header
    tells before anything is decoded.
    """
    try:
        with warnings.catch_warnings(action="error", category=Pillow.DecompressionBombWarning):
            opened = Pillow.open(path, formats=PHOTO_FORMATS)
        with opened as photo:
            if photo.width * photo.height > MAX_PIXELS:
                raise InputError(
                    "photo.too_large",
                    f"{path} has {photo.width}×{photo.height} pixels, more than {MAX_PIXELS // 10**6} million",
                )
            upright = ImageOps.exif_transpose(photo)
            if upright.mode.startswith("I"):
                return np.repeat((np.asarray(upright) / 257).astype(np.uint8)[..., None], 3, axis=2)
            return np.array(upright.convert("RGB"))
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
        raise InputError("photo.too_large", f"{path} has too many pixels: {error}") from error
    except (OSError, ValueError, SyntaxError, ArithmeticError) as error:
        raise InputError("photo.unreadable", f"{path} can't be read as a photo: {error}") from error

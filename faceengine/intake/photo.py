"""A photo becomes an upright picture without anything beside its pixels: no place, no camera, no profile."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image as Pillow

from faceengine.errors import InputError
from faceengine.events import OnEvent, ShouldStop
from faceengine.files import replace_file
from faceengine.geometry import Image
from faceengine.intake.config import IntakeConfig
from faceengine.intake.made import POSTER, Made, write_poster
from faceengine.video import read_photo

_JPEG_MARK, _HEIF_MARK = b"\xff\xd8\xff", b"ftyp"
_PICTURES = (".jpg", ".png")


def names(name: str) -> tuple[str, ...]:
    """All that taking in a photo may make."""
    return (*(name + ending for ending in _PICTURES), POSTER)


def take_in(config: IntakeConfig, run_dir: Path, on_event: OnEvent, should_stop: ShouldStop) -> Made | None:  # noqa: ARG001 - quick enough to tell of nothing and not to be stopped
    """Write the picture and its poster. Raises :class:`InputError` ``photo.*``."""
    image = read_photo(config.file)
    height, width = image.shape[:2]
    if min(width, height) < config.min_side:
        raise InputError("photo.too_small", f"it has {width}×{height} pixels, fewer than {config.min_side} a side")
    with config.file.open("rb") as file:
        head = file.read(8)
    lossy = head[:3] == _JPEG_MARK or head[4:] == _HEIF_MARK
    name = config.name + _PICTURES[not lossy]
    replace_file(run_dir / name, _encoded(image, lossy))
    write_poster(image, run_dir / POSTER)
    return Made(name, width, height)


def _encoded(image: Image, lossy: bool) -> bytes:
    data = io.BytesIO()
    picture = Pillow.fromarray(image)
    if lossy:
        # What came as JPEG, HEIC or AVIF has lost what they lose; a PNG of it would only be large.
        picture.save(data, "JPEG", quality=95, subsampling=0, optimize=True)
    else:
        picture.save(data, "PNG", compress_level=6)
    return data.getvalue()

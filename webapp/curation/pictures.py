"""Pictures of a crop: small ones that are made when first asked for and kept, the crop itself, the frame it is from."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from faceengine.errors import InputError
from faceengine.jobs.names import checked
from webapp.curation.models import Crop, FaceSet

SIZES = (96, 144, 192)
"""Sides of the small pictures, in pixels."""
FIRST_SIZE = 144
"""The size that the room begins with."""
FIRST = 200
"""Crops that the room shows first: a page."""
FRAME_WIDTH = 1280
"""Pixels; a wider frame is shrunk for the browser."""
_PHOTOS = (".png", ".jpg", ".jpeg", ".webp")


class NoPictureError(LookupError):
    """The picture is not in the storage any more, or can't be read."""


def small(crop: Crop, size: int) -> bytes:
    """The crop as WebP of ``size`` pixels a side. Raises :class:`NoPictureError`.

    It is kept beside the set under the crop's key, which no other crop ever gets: browsers may keep it for good.
    """
    name = f"{crop.face_set.person.folder}/thumbs/{size}/{crop.pk}.webp"
    try:
        return _read(name)
    except NoPictureError:
        content = _shrunk(large(crop), size)
        _keep(name, content)
        return content


def prepare(face_set: FaceSet) -> None:
    """Make the small pictures of what the room will show first, so that nobody waits for them.

    Not where files are in an object store: there it takes longer than anybody would wait.
    """
    if not isinstance(default_storage, FileSystemStorage):
        return
    for crop in face_set.crops.select_related("face_set__person", "face_set__job").order_by("number")[:FIRST]:
        with suppress(NoPictureError):
            small(crop, FIRST_SIZE)


def large(crop: Crop) -> bytes:
    """The crop as extraction wrote it, PNG. Raises :class:`NoPictureError`."""
    return _read(crop.face_set.key(f"crops/{crop.number:06d}.png"))


def frame(crop: Crop) -> bytes:
    """The whole frame that the crop is from, as WebP. Raises :class:`NoPictureError`, also where no file can be
    sought in: fetching a video from an object store for one frame would take too long."""
    if not isinstance(default_storage, FileSystemStorage):
        raise NoPictureError(crop.input)
    try:
        return _frame(Path(default_storage.path(checked(crop.input))), crop.frame)
    except (InputError, OSError) as error:
        raise NoPictureError(crop.input) from error


def _frame(path: Path, number: int) -> bytes:
    from PIL import Image

    from faceengine.video import read_frames, read_photo  # with a video decoder: only where a frame is looked at

    if path.suffix.lower() in _PHOTOS:
        return _webp(Image.fromarray(read_photo(path)), FRAME_WIDTH)
    # Footage has a constant rate since it was taken in, so that a time can be sought instead of counting from 0.
    frames = read_frames(path, start=number, constant_rate=True, fps=_rate(path, path.stat().st_mtime_ns))
    found = next((found for found in frames if found.index == number), None)
    if found is None:
        raise NoPictureError(str(number))
    return _webp(Image.fromarray(found.image), FRAME_WIDTH)


@lru_cache(256)
def _rate(path: Path, changed: int) -> Fraction:  # noqa: ARG001 - a file that was replaced is looked at again
    from faceengine.video import probe

    return probe(path).fps


def _shrunk(content: bytes, size: int) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
        return _webp(picture, size)


def _webp(picture: object, width: int) -> bytes:
    from PIL import Image

    assert isinstance(picture, Image.Image)
    picture.thumbnail((width, width), Image.Resampling.BILINEAR, reducing_gap=2.0)
    written = io.BytesIO()
    picture.save(written, "WEBP", quality=82, method=2)
    return written.getvalue()


def _read(name: str) -> bytes:
    try:
        with default_storage.open(name) as file:
            content: bytes = file.read()
            return content
    except OSError as error:
        raise NoPictureError(name) from error


def _keep(name: str, content: bytes) -> None:
    """Store a picture that can be made again: whole or not at all, but not synced."""
    if not isinstance(default_storage, FileSystemStorage):
        default_storage.save(name, ContentFile(content))
        return
    path = Path(default_storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Each of two requests at once writes a file of its own; the later one replaces the same picture.
    handle, part = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(part).replace(path)

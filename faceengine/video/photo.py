"""Photos in."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from PIL import Image as Pillow

from faceengine.errors import InputError
from faceengine.geometry import Image
from faceengine.video.container import MAX_PIXELS
from faceengine.video.photo_colours import opaque_srgb

PHOTO_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "HEIF", "AVIF")
PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".heic", ".heif", ".hif", ".avif"}
)

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"avis")
_JPEG_MARK, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_ORIENTATION = 0x0112
_ANYTHING = bytes(range(1, 128)) * 64
"""Bytes that mean something as pixels, and no mark."""


def is_photo(head: bytes) -> bool:
    """Whether a file that begins with ``head``, 32 bytes or more, is a photo of a kind that is read."""
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    # The fifteenth byte begins the length of BMP's second header, which is small: "BM" alone begins many texts.
    bmp = head[:2] == b"BM" and len(head) > 18 and head[15:18] == b"\0\0\0"
    heif = head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS
    return head[:3] == _JPEG_MARK or head[:8] == b"\x89PNG\r\n\x1a\n" or webp or bmp or heif


def read_photo(path: Path) -> Image:
    """A photo as ``(H, W, 3)`` uint8 sRGB, upright, on white where it is transparent.

    Raises :class:`InputError` ``photo.unreadable``, or ``photo.too_large`` above :data:`MAX_PIXELS`, which the header
    tells before anything is decoded.
    """
    with _errors_of(path):
        try:
            return _read(path.read_bytes(), path)
        except OSError as error:
            whole = _with_end(path)
            if whole is None:
                raise
            try:
                return _read(whole, path)
            except OSError:
                raise error from None


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    """What the readers raise, as one kind of error."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
        raise InputError("photo.too_large", f"{path} has too many pixels: {error}") from error
    except Exception as error:  # what a damaged file makes of its reader is not listed anywhere
        raise InputError("photo.unreadable", f"{path} can't be read as a photo: {error}") from error


@cache
def _know_heif() -> None:
    """Let Pillow open HEIF. Not loaded with this module, which processes that read videos only have as well."""
    import pillow_heif

    pillow_heif.register_heif_opener()


def _read(data: bytes, path: Path) -> Image:
    _know_heif()
    with warnings.catch_warnings(action="error", category=Pillow.DecompressionBombWarning):
        opened = Pillow.open(io.BytesIO(data), formats=PHOTO_FORMATS)
    with opened as photo:
        if photo.width * photo.height > MAX_PIXELS:
            raise InputError(
                "photo.too_large",
                f"{path} has {photo.width}×{photo.height} pixels, more than {MAX_PIXELS // 10**6} million",
            )
        turn = _turn(photo)
        photo.load()
        upright = photo if turn is None else photo.transpose(turn)
        return opaque_srgb(upright, photo, data)


def _turn(photo: Pillow.Image) -> Pillow.Transpose | None:
    """What makes the picture upright. What else its EXIF says, right or wrong, doesn't matter."""
    turns = {
        2: Pillow.Transpose.FLIP_LEFT_RIGHT,
        3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM,
        5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_270,
        7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_90,
    }
    try:
        return turns.get(photo.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF that can't be read says nothing
        return None


def _with_end(path: Path) -> bytes | None:
    """A JPEG that lacks nothing but the mark of its end, with that mark; ``None`` for any other file.

    Where pixels are missing, a reader takes anything that follows for them.
    """
    data = path.read_bytes()
    if data[:3] != _JPEG_MARK:
        return None
    data = data.rstrip(b"\0").removesuffix(b"\xff")
    one, other = (_pixels(data + more + _JPEG_END) for more in (b"", _ANYTHING))
    return data + _JPEG_END if one is not None and one == other else None


def _pixels(data: bytes) -> bytes | None:
    with Pillow.open(io.BytesIO(data), formats=("JPEG",)) as photo:
        if photo.width * photo.height > MAX_PIXELS:
            return None
        try:
            return photo.tobytes()
        except OSError:
            return None

"""The colours of photos: whatever space they are in becomes sRGB, and what is transparent is on white."""

from __future__ import annotations

import io
import re
import struct
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

from faceengine.geometry import Image
from faceengine.video.gamut import ADOBE_RGB, HLG, PQ, is_plain, to_bt709, to_srgb

_HEAD = 1 << 16
_EXIF, _INTEROP, _COLOUR_SPACE, _INTEROP_INDEX = 0x8769, 0xA005, 0xA001, 1
_WHITE = 255


def opaque_srgb(picture: Pillow.Image, photo: Pillow.Image, data: bytes) -> Image:
    """``picture``, a decoded and upright photo, as ``(H, W, 3)`` uint8 sRGB.

    ``photo`` is the same as it was opened, with what its file says of colours; ``data`` is the file.
    """
    if picture.mode.startswith("I"):
        return np.repeat((np.asarray(picture) / 257).astype(np.uint8)[..., None], 3, axis=2)
    alpha = _alpha(picture)
    colours = _from_profile(picture, photo)
    if colours is None:
        image = np.array(picture.convert("RGBA" if alpha is not None else "RGB"))[..., :3]
        image = _from_numbers(image, *_numbers(photo, data))
    else:
        image = np.array(colours)
    return image if alpha is None else _on_white(image, alpha)


def _alpha(picture: Pillow.Image) -> NDArray[np.uint8] | None:
    """``(H, W)``: how opaque it is; ``None`` if it is all opaque."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return None
    alpha = np.asarray(picture.convert("RGBA"))[..., 3]
    return alpha if alpha.min() < _WHITE else None


def _on_white(image: Image, alpha: NDArray[np.uint8]) -> Image:
    share = alpha.astype(np.float32)[..., None] / _WHITE
    return np.asarray(np.rint(image * share + _WHITE * (1 - share)), np.uint8)


def _from_profile(picture: Pillow.Image, photo: Pillow.Image) -> Pillow.Image | None:
    """Converted by its ICC profile; ``None`` without one, or if that is damaged or sRGB itself."""
    profile = photo.info.get("icc_profile")
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space == "RGB" and _is_srgb(source):
            return None
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}[space]
        plain = picture if picture.mode == mode else picture.convert(mode)
        return ImageCms.profileToProfile(plain, source, _srgb(), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, KeyError, ValueError, TypeError):
        return None


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _is_srgb(source: ImageCms.ImageCmsProfile) -> bool:
    """Whether a profile turns colours into nearly themselves: most photos have one of the many profiles of sRGB."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    probe = Pillow.fromarray(np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3))
    made = ImageCms.profileToProfile(probe, source, _srgb())
    return bool(np.abs(np.asarray(made).astype(int) - np.asarray(probe)).max() <= 3)


def _numbers(photo: Pillow.Image, data: bytes) -> tuple[int, int]:
    """(primaries, transfer characteristic) of ITU-T H.273, where a photo has no profile but says so otherwise."""
    head = data[:_HEAD]
    if photo.format in ("HEIF", "AVIF") and (found := re.search(rb"colrnclx(.{4})", head, re.DOTALL)):
        primaries, transfer = struct.unpack(">HH", found[1])
        return primaries, transfer
    if photo.format == "PNG" and (found := re.search(rb"\0\0\0\x04cICP(..)", head, re.DOTALL)):
        return found[1][0], found[1][1]
    return (ADOBE_RGB if _is_adobe(photo) else 1), 1


def _is_adobe(photo: Pillow.Image) -> bool:
    """Whether EXIF says Adobe RGB, as cameras write it without a profile (DCF's optional colour space)."""
    try:
        exif = photo.getexif().get_ifd(_EXIF)
        interop = photo.getexif().get_ifd(_INTEROP)
    except Exception:  # EXIF that can't be read says nothing
        return False
    return exif.get(_COLOUR_SPACE) == 2 or str(interop.get(_INTEROP_INDEX, "")).strip("\0 ") == "R03"


def _from_numbers(image: Image, primaries: int, transfer: int) -> Image:
    """``(H, W, 3)`` uint8 of the colours with these numbers → of sRGB."""
    if is_plain(primaries, transfer):
        return image
    rows = np.array_split(image, max(1, image.size // 3_000_000))
    hdr = transfer in (PQ, HLG)
    signals = (part.astype(float) / _WHITE for part in rows)
    parts = [to_bt709(one, primaries, transfer) if hdr else to_srgb(one, primaries) for one in signals]
    return np.concatenate([np.rint(part * _WHITE).astype(np.uint8) for part in parts])

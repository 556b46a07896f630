"""All marks on one picture that leaves: a still, a preview."""

from __future__ import annotations

from io import BytesIO

import numpy as np

from faceengine.geometry import Image
from faceengine.provenance.aigc import aigc, with_xmp, xmp
from faceengine.provenance.credentials import Credentials
from faceengine.provenance.kinds import kind_of
from faceengine.provenance.label import Label
from faceengine.provenance.origin import Origin
from faceengine.provenance.signing import sign_bytes

MARKABLE = ("image/png", "image/jpeg", "image/webp")
_QUALITY = 92
_MARK = b"TC260:AIGC"


def mark_picture(
    image: Image,
    origin: Origin,
    credentials: Credentials,
    *,
    label: str = "both",
    place: str = "bottom-right",
    kind: str = "png",
) -> bytes:
    """The ``(H, W, 3)`` uint8 RGB picture as a file of ``kind`` (``png``, ``jpeg``, ``webp``) with all marks.

    ``label`` and ``place`` are those of :class:`Label`. Raises :class:`InputError` ``sign.failed``.
    """
    drawn = Label(label, place, *image.shape[:2]).drawn(image)
    return sign_picture(encode(drawn, kind, aigc(origin, credentials.organisation)), origin, credentials)


def label_picture(picture: bytes, origin: Origin, credentials: Credentials, label: str = "both") -> bytes:
    """A PNG, JPEG or WebP file with all marks. The label stands below the picture, which may be a sheet of small ones.

    Raises :class:`InputError` ``sign.failed``.
    """
    from PIL import Image as Pillow

    with Pillow.open(BytesIO(picture), formats=("PNG", "JPEG", "WEBP")) as opened:
        kind = str(opened.format).lower()
        shown = np.asarray(opened.convert("RGB"))
    height, width = shown.shape[:2]
    shortest = min(height + height // 3, width)
    _, y, _, plate = Label(label, "bottom", 3 * height, width, shortest=shortest).box
    strip = plate + 2 * (3 * height - y - plate)
    taller = np.pad(shown, ((0, strip), (0, 0), (0, 0)))
    drawn = Label(label, "bottom", height + strip, width, shortest=shortest).drawn(taller)
    return sign_picture(encode(drawn, kind, aigc(origin, credentials.organisation)), origin, credentials)


def encode(image: Image, kind: str, text: str) -> bytes:
    """The picture as a file of ``kind`` with the AIGC metadata ``text``."""
    from PIL import Image as Pillow

    out = BytesIO()
    picture = Pillow.fromarray(np.ascontiguousarray(image))
    if kind == "webp":  # Pillow's own, since the place of metadata in WebP depends on its pixels' form
        picture.save(out, "WEBP", quality=_QUALITY, xmp=xmp(text))
        return out.getvalue()
    picture.save(out, kind.upper(), **({"quality": _QUALITY} if kind == "jpeg" else {"compress_level": 1}))
    return with_xmp(out.getvalue(), xmp(text))


def sign_picture(picture: bytes, origin: Origin, credentials: Credentials) -> bytes:
    """A PNG, JPEG or WebP file signed; one without AIGC metadata gains them, for which WebP is encoded again."""
    kind = kind_of(picture)
    if kind not in MARKABLE:
        raise ValueError("only PNG, JPEG and WebP files can be signed")
    text = aigc(origin, credentials.organisation)
    if kind == "image/webp":
        picture = picture if _MARK in picture else encode(_pixels(picture), "webp", text)
    elif _MARK not in picture[:4096]:
        picture = with_xmp(picture, xmp(text))
    return sign_bytes(picture, kind, origin, credentials)


def _pixels(picture: bytes) -> Image:
    from PIL import Image as Pillow

    with Pillow.open(BytesIO(picture), formats=("WEBP",)) as opened:
        return np.asarray(opened.convert("RGB"))

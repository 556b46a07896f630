"""What kind of file it is, by its first bytes, among those that carry marks."""

from __future__ import annotations

from pathlib import Path

from faceengine.errors import InputError

_HEAD = 64
_BRANDS = {b"avif": "image/avif", b"avis": "image/avif", b"heic": "image/heic", b"heix": "image/heic"}
_BRANDS |= {b"mif1": "image/heif", b"qt  ": "video/quicktime", b"M4A ": "audio/mp4"}


def kind_of_file(path: Path) -> str:
    """The MIME type. Raises :class:`InputError` ``verify.empty``, and ``verify.unknown`` for anything else."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise InputError("verify.empty", "the file is empty")
    if kind := kind_of(head):
        return kind
    raise InputError("verify.unknown", "it is no video or picture of a kind that can carry marks")


def kind_of(head: bytes) -> str | None:
    """The MIME type of a file that begins so."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"AVI ": "video/avi", b"WAVE": "audio/wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[4:8] in (b"moov", b"mdat", b"wide"):
        return "video/quicktime"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/x-matroska"
    if head[:4] in (b"II*\0", b"MM\0*"):
        return "image/tiff"
    return None

"""What a file is, by its first bytes and never by its name."""

from __future__ import annotations

from pathlib import Path

from faceengine.errors import InputError

_HEAD = 4 * 188
"""As many bytes as show that MPEG-TS repeats its mark."""
_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
_TS_MARK = 0x47


def sniff(path: Path) -> str:
    """``photo`` or ``video``.

    Raises :class:`InputError` ``file.empty``, ``photo.heif``, or ``file.unknown`` for everything that neither reader
    takes: texts, play lists, pages, archives, pickles never come near one.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise InputError("file.empty", "the file is empty")
    if _is_photo(head):
        return "photo"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        raise InputError("photo.heif", "HEIF and AVIF pictures can't be read; save it as JPEG or PNG")
    if _is_video(head):
        return "video"
    raise InputError("file.unknown", "it is neither a video (MP4, MOV, MKV, WebM, AVI, TS) nor a photo")


def _is_photo(head: bytes) -> bool:
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    # The fifteenth byte begins the length of BMP's second header, which is small: "BM" alone begins many texts.
    bmp = head[:2] == b"BM" and len(head) > 18 and head[15:18] == b"\0\0\0"
    return head[:3] == b"\xff\xd8\xff" or head[:8] == b"\x89PNG\r\n\x1a\n" or webp or bmp


def _is_video(head: bytes) -> bool:
    matroska = head[:4] == b"\x1a\x45\xdf\xa3"
    avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    return head[4:8] in _MOV_BOXES or matroska or avi or _repeats(head, 0, 188) or _repeats(head, 4, 192)


def _repeats(head: bytes, first: int, length: int) -> bool:
    """Whether it looks like MPEG-TS, whose packets all begin with the same byte."""
    marks = head[first::length]
    return len(marks) >= 3 and all(mark == _TS_MARK for mark in marks)

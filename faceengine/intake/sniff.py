"""What a file is, by its first bytes and never by its name."""

from __future__ import annotations

from pathlib import Path

from faceengine.errors import InputError
from faceengine.video import is_photo
from faceengine.video.container import MOV_BOXES

_HEAD = 4 * 188
"""As many bytes as show that MPEG-TS repeats its mark."""
_HEIF_SEQUENCES = (b"msf1", b"hevc", b"hevx")
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
    if is_photo(head):
        return "photo"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_SEQUENCES:
        raise InputError("photo.heif", "sequences of HEIF pictures can't be read; save one as JPEG or PNG")
    if _is_video(head):
        return "video"
    raise InputError("file.unknown", "it is neither a video (MP4, MOV, MKV, WebM, AVI, TS) nor a photo")


def _is_video(head: bytes) -> bool:
    matroska = head[:4] == b"\x1a\x45\xdf\xa3"
    avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    return head[4:8] in MOV_BOXES or matroska or avi or _repeats(head, 0, 188) or _repeats(head, 4, 192)


def _repeats(head: bytes, first: int, length: int) -> bool:
    """Whether it looks like MPEG-TS, whose packets all begin with the same byte."""
    marks = head[first::length]
    return len(marks) >= 3 and all(mark == _TS_MARK for mark in marks)

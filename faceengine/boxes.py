"""How many boxes an MP4 has, counted before any parser builds a tree of them: some take minutes for a hundred thousand.

Matroska, AVI and MPEG-TS are parsed as they are read; the limits of the process hold for those.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

MOST_BOXES = 50_000
"""Two hours in fragments of two seconds have half as many."""
MOST_TRACKS = 64
_DEEPEST = 16
_HEADER, _LARGE_HEADER = 8, 16
_FOLDERS = {
    b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts", b"udta", b"mvex", b"moof", b"traf", b"mfra",
    b"tref", b"gmhd", b"ilst", b"sinf", b"schi", b"iprp", b"ipco", b"jumb",
}  # fmt: skip
_FULL = {b"meta": 4}
"""Containers with some bytes before their first box."""


class TooManyBoxesError(Exception):
    """A file has more boxes or tracks than any real video."""


def check_boxes(path: Path) -> None:
    """Raise :class:`TooManyBoxesError` for more than :data:`MOST_BOXES` boxes or :data:`MOST_TRACKS` tracks.

    What is no MP4 or MOV, or is cut off, is counted as far as it goes. Takes a second at most.
    """
    with path.open("rb") as file:
        _Count(file).walk(0, os.fstat(file.fileno()).st_size, 0)


class _Count:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._boxes = 0
        self._tracks = 0

    def walk(self, begin: int, end: int, depth: int) -> None:
        """Count the boxes between two places in the file."""
        while begin + _HEADER <= end:
            self._file.seek(begin)
            header = self._file.read(_LARGE_HEADER)
            if len(header) < _HEADER:
                return
            size, name, inside = int.from_bytes(header[:4], "big"), header[4:8], _HEADER
            if size == 1:
                size, inside = int.from_bytes(header[8:16], "big"), _LARGE_HEADER
            elif size == 0:
                size = end - begin
            if size < inside:
                return
            self._count(name)
            if depth < _DEEPEST and (name in _FOLDERS or name in _FULL):
                self.walk(begin + inside + _FULL.get(name, 0), min(begin + size, end), depth + 1)
            begin += size

    def _count(self, name: bytes) -> None:
        self._boxes += 1
        self._tracks += name == b"trak"
        if self._boxes > MOST_BOXES or self._tracks > MOST_TRACKS:
            raise TooManyBoxesError

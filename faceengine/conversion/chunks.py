"""Where a conversion begins anew, so that any part of a video comes out the same by itself as within the whole.

A conversion remembers: where faces were, who they are, how they moved. If it remembered everything, one half of a
video could only be converted after the other. So its memory reaches back to the last border at most. Borders lie every
:data:`SECONDS`, counted from the video's first frame, whatever is converted of it; at a border everything is forgotten
and learnt again from the frames just before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

SECONDS = 20.0
"""Length of a chunk."""
WARM_UPS = 1.2, 5.0
"""Seconds before a chunk from which its state is learnt; the longer one if the shorter one knew nobody.

The first settles the filters of points: at the strongest smoothing 2 % are left of what they began with. It is longer
than the second after which the finder searches anew at most rates, so that this doesn't happen in a chunk's first
frame. A face that is turned away throughout it is not recognised, though, and would be given up at the border."""


@dataclass(frozen=True)
class Chunk:
    """The frames ``start`` to ``end`` (exclusive), and the frames ``warm_ups`` from which their state may be learnt."""

    start: int
    end: int
    warm_ups: tuple[int, ...]


def borders(start: int, end: int | None, fps: Fraction) -> Iterator[int]:
    """The borders between the frames ``start`` and ``end``, without these; no end, no last one."""
    length = max(1, round(SECONDS * fps))
    border = (start // length + 1) * length
    while end is None or border < end:
        yield border
        border += length


def chunks(start: int, end: int | None, fps: Fraction) -> Iterator[Chunk]:
    """The chunks of the frames from ``start`` on; without an ``end`` they go on and on."""
    for border in borders(start, end, fps):
        yield _chunk(start, border, fps)
        start = border
    if end is not None:
        yield _chunk(start, end, fps)


def _chunk(start: int, end: int, fps: Fraction) -> Chunk:
    begins = (max(0, start - round(seconds * fps)) for seconds in WARM_UPS)
    return Chunk(start, end, tuple(dict.fromkeys(begins)))

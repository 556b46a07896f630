"""Videos whose clock is set anew in the middle, written with one clock and nothing else changed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import av
import av.error

from faceengine.errors import InputError
from faceengine.video.clock import Recording, move
from faceengine.video.container import CODECS, demux, opened, sound_track
from faceengine.video.reading import Survey

READ_MENDED = {"protocol_whitelist": "file", "format_whitelist": "nut", "codec_whitelist": CODECS}
"""Options to read such a file with."""
LEAD = 1.0
"""Seconds on the new clock at which the first picture is shown, where pictures are written: time stamps to decode by
may lie a little before it, and the file has no negative ones."""


class _Track:
    """Packets of one track on their way into the new file."""

    def __init__(self, out: Any, recordings: tuple[Recording, ...], origin: float) -> None:
        self._out, self._ahead, self._origin = out, list(recordings), origin
        self._number, self._last = 0, -1

    def moved(self, packet: Any) -> Any | None:
        """``packet`` on the new clock; ``None`` if it has no place there."""
        if len(self._ahead) > 1 and self._number >= self._ahead[1].first:
            self._ahead.pop(0)
        self._number += 1
        move(packet, self._ahead[0].shift - self._origin)
        packet.dts = packet.pts if packet.dts is None else packet.dts
        if packet.dts is None or packet.pts is None:
            return None
        if packet.stream.type == "audio" and packet.dts <= self._last:
            return None  # it lies before the first picture, or under the sound of the recording before it
        packet.dts = max(packet.dts, self._last + 1)
        packet.pts = max(packet.pts, packet.dts)
        self._last = packet.dts
        packet.stream = self._out
        return packet


def write_mended(path: Path, seen: Survey, made: Path, *, pictures: bool = True) -> None:
    """Write the sound of ``path``, and its pictures if wanted, to ``made`` (NUT) on the clock of ``seen``.

    Nothing is encoded anew. Raises :class:`InputError` ``video.unreadable`` if the tracks can't be written.
    """
    origin = seen.grid.origin - (LEAD if pictures else 0.0)
    with opened(path) as (container, stream), closing(av.open(f"file:{made}", "w", format="nut")) as out:
        sound = sound_track(container)
        wanted: list[tuple[Any, tuple[Recording, ...]]] = [(stream, seen.clock.pictures)] if pictures else []
        wanted += [(sound, seen.clock.sounds)] if sound is not None else []
        tracks = {
            track.index: _Track(out.add_stream_from_template(track), recordings, origin) for track, recordings in wanted
        }
        try:
            for packet in demux(container, *(track for track, _ in wanted)):
                if packet.size and (moved := tracks[packet.stream_index].moved(packet)) is not None:
                    out.mux(moved)
        except (av.error.FFmpegError, ValueError) as error:
            raise InputError("video.unreadable", f"the clock of {path} can't be mended: {error}") from error

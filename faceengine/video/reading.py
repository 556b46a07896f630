"""What a video is, and its frames one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path

import av.container
import av.error
import av.video.frame
import av.video.stream
import numpy as np
from numpy.typing import NDArray

from faceengine.errors import InputError
from faceengine.geometry import Image
from faceengine.video.clock import Clock, Track, make_clock, mended
from faceengine.video.colours import Painter, Picture, displayed_size
from faceengine.video.container import (
    Packet,
    codec_of,
    decode,
    demux,
    opened,
    picture_tracks,
    refuse_joined,
    sound_track,
)
from faceengine.video.filters import Look, deinterlaced, look_of
from faceengine.video.steady import STANDARD_RATES, Grid, make_grid
from faceengine.video.upright import Turn, fit, turn_of

_MAX_GAP = 30.0
_BEFORE = 0.5
"""Seconds: containers list key frames by when they are decoded, which is a little before they are shown."""
_LOOK = 12
"""Frames from which is told whether each one's fields are stored apart."""


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a video before reading it through."""

    width: int
    """As displayed: after rotation, with square pixels."""
    height: int
    fps: Fraction
    """The steady rate; for a video of variable rate the usual one, to which ``constant_rate`` resamples."""
    frames: int
    """Pictures that are shown, of those that the file's index lists. A cut-off video yields fewer."""
    steady_frames: int
    """Frames that ``constant_rate`` makes of those packets that are there."""
    duration: float
    """Seconds."""
    has_audio: bool
    rotation: int
    """Degrees counter-clockwise by which the stored picture is turned for display: 0, 90, 180 or 270."""
    variable_rate: bool


@dataclass(frozen=True)
class Frame:
    """One picture of a video, ready to look at."""

    index: int
    """Its number from 0: of the stored frames, or of the resampled ones with ``constant_rate``."""
    time: float
    """Seconds from the start of the file, on the clock that its sound runs by."""
    image: Image
    """``(H, W, 3)`` uint8 RGB, upright."""


def probe(path: Path) -> VideoInfo:
    """Look at a video: its first pictures are decoded, its packets are counted, nothing more.

    Raises :class:`InputError` ``video.missing``, ``video.empty``, ``video.unreadable``, ``video.no_frames``,
    ``video.too_large``, ``video.joined`` or ``video.dolby_vision``.
    """
    seen = survey(path)
    first, grid = seen.first, seen.grid
    if first is None:
        raise InputError("video.no_frames", f"{path} has no picture that can be decoded")
    clocked = seen.clock.is_mended or not seen.duration
    return VideoInfo(
        *first.displayed,
        fps=grid.fps,
        frames=len(grid.times) + seen.clock.missing,
        steady_frames=grid.length,
        duration=grid.length / float(grid.fps) if clocked else seen.duration,
        has_audio=bool(seen.tracks.sound),
        rotation=first.turn.rotation,
        variable_rate=not grid.is_steady,
    )


@dataclass(frozen=True)
class Appearance:
    """How a video's first picture is stored, and shown."""

    stored: tuple[int, int]
    """Width and height."""
    displayed: tuple[int, int]
    look: Look
    turn: Turn
    interlaced: bool


@dataclass(frozen=True)
class Tracks:
    """What a video holds beside the pictures that are read."""

    pictures: int
    """Tracks of moving pictures, of which the first is read."""
    sounds: tuple[str, ...]
    """The decoders of all sound tracks; empty for a kind that FFmpeg doesn't know."""
    sound: str
    """That of the sound track to take; empty if none can be decoded."""

    @classmethod
    def of(cls, container: av.container.InputContainer) -> Tracks:
        """The tracks of an open video."""
        taken = sound_track(container)
        sounds = tuple(codec_of(track) for track in container.streams.audio)
        return cls(len(picture_tracks(container)), sounds, codec_of(taken) if taken is not None else "")


@dataclass(frozen=True)
class Survey:
    """What a look at all packets of a video tells."""

    clock: Clock
    grid: Grid
    first: Appearance | None
    """``None`` if no picture can be decoded."""
    tracks: Tracks
    duration: float
    """Seconds, as the header says; 0 without one."""


def survey(path: Path) -> Survey:
    """The times of a video's pictures and sound; remembered for files that were surveyed lately."""
    if not path.is_file():
        raise InputError("video.missing", f"{path} is not there, or no file")
    state = path.stat()
    return _survey(path, state.st_mtime_ns, state.st_size)


@lru_cache(8)
def _survey(path: Path, changed: int, size: int) -> Survey:  # noqa: ARG001 - a file that has changed is another one
    refuse_joined(path)
    with opened(path) as (container, stream):
        tracks = Tracks.of(container)
        clock, begin = _look_through(container, stream)
        appearance = _appearance(stream, begin[0]) if begin else None
        average = stream.average_rate
        # A transport stream has no header: its length would be a guess by its time stamps.
        told = container.duration if container.format.name != "mpegts" else None
    times = clock.times
    if rate := _fields_apart(begin, times):
        times, average = times[::2], rate
    grid = make_grid(times, average, begin[0].time if begin else None)
    return Survey(clock, grid, appearance, tracks, (told or 0) / 1e6)


def _look_through(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> tuple[Clock, list[av.video.frame.VideoFrame]]:
    """The times of all packets, and the first picture, or some of the first if that is interlaced.

    A file is opened once and read once for both: opening one costs as much as decoding several pictures.
    """
    pictures, sounds = Track(), Track()
    heard = sound_track(container)

    def noted() -> Iterator[Packet]:
        for packet in demux(container, *(track for track in (stream, heard) if track is not None)):
            is_picture = packet.stream_index == stream.index
            if packet.size:
                (pictures if is_picture else sounds).add(packet)
            if is_picture:
                yield packet

    packets = noted()
    frames = decode(packets, stream)
    begin = list(islice(frames, 1))
    begin += islice(frames, _LOOK - 1) if begin and begin[0].interlaced_frame else []
    for _ in packets:
        pass  # the others' times are noted as they go by
    listed = len(stream.index_entries) if container.format.name.startswith("mov") else 0
    return make_clock(pictures, sounds, leaps=container.format.name == "mpegts", listed=listed), begin


def _appearance(stream: av.video.stream.VideoStream, frame: av.video.frame.VideoFrame) -> Appearance:
    stored, shown = (frame.width, frame.height), displayed_size(stream, frame)
    return Appearance(stored, shown, look_of(frame), turn_of(frame), bool(frame.interlaced_frame))


def _fields_apart(frames: list[av.video.frame.VideoFrame], times: NDArray[np.float64]) -> Fraction | None:
    """The rate of the pictures if each one's two fields lie in packets of their own, as camcorders store them."""
    if len(frames) < _LOOK or not frames[0].interlaced_frame or frames[-1].time is None or frames[0].time is None:
        return None
    packets = np.count_nonzero((times >= frames[0].time - 1e-4) & (times < frames[-1].time - 1e-4))
    if packets < 1.8 * (_LOOK - 1):
        return None
    rate = (_LOOK - 1) / (frames[-1].time - frames[0].time)
    return min(STANDARD_RATES, key=lambda standard: abs(float(standard) - rate))


def read_frames(
    path: Path, *, start: int = 0, every: int = 1, constant_rate: bool = False, fps: Fraction | None = None
) -> Iterator[Frame]:
    """Stream the frames ``start, start + every, …`` of a video, upright, one in memory at a time.

    With ``constant_rate`` frame ``i`` is what is seen at ``i / probe(path).fps`` seconds: written at that rate it stays
    with its sound. Each stored picture has a frame of its own; where none is due, the one before it is repeated. All
    have the size of the first: others are fitted into it. It then begins at the last key frame before ``start``, where
    the file can be sought in, instead of the first one. ``fps`` is another rate to resample to.

    A damaged picture in the middle is skipped. A video that is cut off gives the frames that are whole and ends; that
    it ended early shows as fewer frames than ``probe(path).frames``. Only when not one frame is whole is it an error:
    :class:`InputError` ``video.truncated``; besides, all those of :func:`probe`.
    """
    frames = _constant(path, fps, start) if constant_rate else _stored(path)
    for index, time, picture in frames:
        if index >= start and (index - start) % every == 0:
            yield Frame(index, time, picture())


def _stored(path: Path) -> Iterator[tuple[int, float, Callable[[], Image]]]:
    """(index, time, function that makes the picture) of every stored frame."""
    origin, index = survey(path).grid.origin, -1
    for index, (time, picture, _) in enumerate(_pictures(path)):
        yield index, time - origin, picture
    if index < 0:
        raise InputError("video.truncated", f"{path} is damaged or cut off: not one of its frames is whole")


def _pictures(path: Path) -> Iterator[tuple[float, Picture, tuple[int, int]]]:
    """(time on the file's clock, picture, displayed width and height) of every stored frame."""
    seen = survey(path)
    with opened(path) as (container, stream):
        painter = Painter(stream)
        packets = mended(demux(container, stream), seen.clock.pictures)
        for index, frame in enumerate(deinterlaced(decode(packets, stream))):
            time = seen.grid.time(index) if frame.pts is None else float(frame.time)
            yield time, Picture(painter, frame), displayed_size(stream, frame)


def _constant(path: Path, fps: Fraction | None, start: int) -> Iterator[tuple[int, float, Callable[[], Image]]]:
    """The stored frames on a steady grid: each at its place, and repeated up to the next one's.

    Every place from ``start`` on is there, and some before it may be.
    """
    seen = survey(path)
    grid = seen.grid if fps is None or fps == seen.grid.fps else seen.grid.at(fps)
    shown, slot, rate = None, 0, float(grid.fps)
    size = seen.first.displayed if seen.first is not None else None
    for time, picture, displayed in _from(path, grid, start):
        target = max(0, grid.place(time))
        fitted = picture if size is None or displayed == size else partial(_fitted, picture, size)
        if shown is None:
            slot = min(start, target)
        if target - slot > _MAX_GAP * rate:
            raise InputError("video.gap", f"{path} jumps from {slot / rate:.1f} s to {target / rate:.1f} s")
        while slot < target:
            yield slot, slot / rate, shown or fitted
            slot += 1
        shown = fitted
    if shown is not None:
        yield slot, slot / rate, shown


def _fitted(picture: Picture, size: tuple[int, int]) -> Image:
    return fit(picture(), *size)


def _from(path: Path, grid: Grid, start: int) -> Iterator[tuple[float, Picture, tuple[int, int]]]:
    """The stored frames, from one at or before place ``start`` on.

    Two places earlier: what ``start`` shows may be a frame that lies a rounding before it, and one that is deinterlaced
    needs its neighbour.
    """
    time = grid.origin + (start - 2) / float(grid.fps)
    sought = _sought(path, time) if start > 2 else iter(())
    first = next(sought, None)
    # Not every container knows where its key frames are; then all frames are decoded, which always works.
    if first is not None and first[0] <= time:
        yield first
        yield from sought
        return
    found = False
    for picture in _pictures(path):
        found = True
        yield picture
    if not found:
        raise InputError("video.truncated", f"{path} is damaged or cut off: not one of its frames is whole")


def _sought(path: Path, time: float) -> Iterator[tuple[float, Picture, tuple[int, int]]]:
    """The frames from a key frame on that lies near ``time``, if all goes well before it; nothing if it doesn't.

    Frames that are shown before that key frame but stored after it are left out: they need what came before.
    """
    if len(survey(path).clock.pictures) > 1:
        return
    with opened(path) as (container, stream):
        painter = Painter(stream)
        try:
            container.seek(round((time - _BEFORE) * 1e6))
        except (av.error.FFmpegError, OverflowError):
            return
        key = None
        for frame in deinterlaced(decode(demux(container, stream), stream, from_key=True)):
            if frame.pts is None:
                return
            key = frame.pts if key is None and frame.key_frame else key
            if key is not None and frame.pts >= key:
                yield float(frame.time), Picture(painter, frame), displayed_size(stream, frame)

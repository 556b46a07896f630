"""What a video is, and its frames one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.container
import av.error
import av.video.stream
import numpy as np

from faceengine.errors import InputError
from faceengine.geometry import Image
from faceengine.video.colours import Picture, displayed_size, rotation_of
from faceengine.video.container import decode, opened

_MAX_GAP = 30.0
_BEFORE = 0.5
"""Seconds: containers list key frames by when they are decoded, which is a little before they are shown."""
_STANDARD_RATES = tuple(
    Fraction(*rate)
    for rate in [(24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1)]
)


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a video before reading it through."""

    width: int
    """As displayed: after rotation, with square pixels."""
    height: int
    fps: Fraction
    """The steady rate; for a video of variable rate the usual one, to which ``constant_rate`` resamples."""
    frames: int
    """What the header promises, else what its packets come to. A cut-off video yields fewer."""
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
    """Look at a video: its first picture is decoded, its packets are counted, nothing more.

    Raises :class:`InputError` ``video.missing``, ``video.empty``, ``video.unreadable``, ``video.no_frames`` or
    ``video.too_large``.
    """
    with opened(path) as (container, stream):
        first = next(decode(container, stream), None)
        if first is None:
            raise InputError("video.no_frames", f"{path} has no picture that can be decoded")
        width, height = displayed_size(stream, first)
        rotation = rotation_of(first)
        has_audio = bool(container.streams.audio)
    with opened(path) as (container, stream):
        times = _packet_times(container, stream)
        fps, variable = _rate(stream, times)
        frames = stream.frames or len(times)
        duration = container.duration / 1e6 if container.duration else frames / float(fps)
        steady = round((times[-1] - _origin(container)) * fps) + 1 if times else frames
    return VideoInfo(width, height, fps, frames, steady, duration, has_audio, rotation, variable)


def read_frames(
    path: Path, *, start: int = 0, every: int = 1, constant_rate: bool = False, fps: Fraction | None = None
) -> Iterator[Frame]:
    """Stream the frames ``start, start + every, …`` of a video, upright, one in memory at a time.

    With ``constant_rate`` a video of variable rate is resampled to ``probe(path).fps`` by repeating and dropping
    frames, so that frame ``i`` is what is seen at ``i / fps`` seconds: written at that rate it stays with its sound.
    It then begins at the last key frame before ``start``, where the file can be sought in, instead of the first one.
    ``fps`` is that of :func:`probe`, from callers that know it: finding it reads the whole file.

    A damaged picture in the middle is skipped. A video that is cut off gives the frames that are whole and ends; that
    it ended early shows as fewer frames than ``probe(path).frames``. Only when not one frame is whole is it an error:
    :class:`InputError` ``video.truncated``; besides, all those of :func:`probe`.
    """
    frames = _constant(path, fps or probe(path).fps, start) if constant_rate else _stored(path)
    for index, time, picture in frames:
        if index >= start and (index - start) % every == 0:
            yield Frame(index, time, picture())


def _stored(path: Path) -> Iterator[tuple[int, float, Picture]]:
    """(index, time, function that makes the picture) of every stored frame."""
    with opened(path) as (container, stream):
        origin = _origin(container)
        rate = float(stream.average_rate or 25)
        index = -1
        for index, frame in enumerate(decode(container, stream)):
            time = index / rate if frame.pts is None else frame.time - origin
            yield index, time, Picture(stream, frame)
        if index < 0:
            code = "video.truncated" if stream.frames else "video.no_frames"
            raise InputError(code, f"{path} is damaged or cut off: not one of its frames is whole")


def _constant(path: Path, fps: Fraction, start: int) -> Iterator[tuple[int, float, Picture]]:
    """The stored frames on a steady grid: slot ``i`` shows the last frame whose time rounds to ``i`` or less.

    Every slot from ``start`` on is there, and some before it may be.
    """
    slot, shown = 0, None
    # One slot earlier: what ``start`` shows may be a frame that lies a rounding before it.
    for time, picture in _from(path, float((start - 1) / fps)):
        target = round(time * fps)
        if shown is None:
            slot = min(start, target)
        if target - slot > _MAX_GAP * fps:
            raise InputError("video.gap", f"{path} jumps from {float(slot / fps):.1f} s to {time:.1f} s")
        while slot < target:
            yield slot, float(slot / fps), shown or picture
            slot += 1
        shown = picture
    if shown is not None:
        yield slot, float(slot / fps), shown


def _from(path: Path, time: float) -> Iterator[tuple[float, Picture]]:
    """(time, picture) of the stored frames, from one at or before ``time`` on."""
    sought = _sought(path, time) if time > 0 else iter(())
    first = next(sought, None)
    # Not every container knows where its key frames are; then all frames are decoded, which always works.
    if first is not None and first[0] <= time:
        yield first
        yield from sought
    else:
        yield from ((time, picture) for _, time, picture in _stored(path))


def _sought(path: Path, time: float) -> Iterator[tuple[float, Picture]]:
    """(time, picture) from a key frame on that lies near ``time``, if all goes well before it; nothing if it doesn't.

    Frames that are shown before that key frame but stored after it are left out: they need what came before.
    """
    with opened(path) as (container, stream):
        origin = _origin(container)
        try:
            container.seek(round((time + origin - _BEFORE) * 1e6))
        except (av.error.FFmpegError, OverflowError):
            return
        key = None
        for frame in decode(container, stream, from_key=True):
            if frame.pts is None:
                return
            key = frame.pts if key is None and frame.key_frame else key
            if key is not None and frame.pts >= key:
                yield frame.time - origin, Picture(stream, frame)


def _origin(container: av.container.InputContainer) -> float:
    """Where the file's clock stands at its beginning, in seconds."""
    return (container.start_time or 0) / 1e6


def _packet_times(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> list[float]:
    """Presentation times of the video's packets, in order, in seconds."""
    times: list[float] = []
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return sorted(times)
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None and packet.size:
            times.append(float(stamp * packet.time_base))


def _rate(stream: av.video.stream.VideoStream, times: list[float]) -> tuple[Fraction, bool]:
    """(frames a second, whether it varies).

    A rate varies when a frame is shown for a quarter longer or shorter than the median one, and that is more than the
    rounding of the file's clock.
    """
    average = stream.average_rate or Fraction(25)
    gaps = np.diff(np.array(times))
    if len(gaps) < 3:
        return average, False
    usual = float(np.median(gaps))
    slack = 0.25 * usual + float(stream.time_base or 0)
    if usual <= 0 or np.abs(gaps - usual).max() <= slack:
        return average, False
    rate = min(max(1 / usual, 1.0), 120.0)
    nearest = min(_STANDARD_RATES, key=lambda standard: abs(float(standard) - rate))
    close = abs(float(nearest) / rate - 1) < 0.02
    return nearest if close else Fraction(rate).limit_denominator(1001), True

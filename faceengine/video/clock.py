"""Times of a video's packets on one clock, whatever the file's own clocks do.

Recordings joined by ``cat`` or ``copy /b``, and recorders that start anew, set the clock of a file back or ahead in
its middle. The packets then are moved so that each recording begins where the pictures of the one before it end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from faceengine.video.container import Packet

_LEAP = 10.0
"""Seconds that the clock of an MPEG transport stream may be ahead; beyond that it was set anew."""
_SOUND_BACK = 0.1
"""Seconds by which sound may step back without a new clock."""


@dataclass(frozen=True)
class Recording:
    """A part of a track on one clock."""

    first: int
    """Number of its first packet within the track, in the order of the file."""
    shift: float
    """Seconds to add to its time stamps."""


@dataclass(frozen=True)
class Clock:
    """When the packets of a video's pictures and sound are due."""

    times: NDArray[np.float64]
    """``(N,)`` seconds: of the pictures that are shown, in order."""
    missing: int
    """Pictures that the file's index lists and the file does not have."""
    pictures: tuple[Recording, ...]
    sounds: tuple[Recording, ...]
    sound_begins: float | None
    """Seconds on the same clock; ``None`` without sound."""

    @property
    def is_mended(self) -> bool:
        """Whether the file's own time stamps can't be used."""
        return len(self.pictures) > 1 or len(self.sounds) > 1


def _is_seen(packet: Packet) -> bool:
    """Whether a packet has a picture to show: VP8 stores some that others are only predicted from."""
    return packet.stream.codec_context.name not in ("vp8", "libvpx") or bool(memoryview(packet)[0] & 0x10)


@dataclass
class Track:
    """The time stamps of a track's packets in the order of the file."""

    stamps: list[float] = field(default_factory=list)
    decoded: list[float] = field(default_factory=list)
    shown: list[bool] = field(default_factory=list)
    keys: list[bool] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def add(self, packet: Packet) -> None:
        """Add one packet's; empty packets have none."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        base, last = float(packet.time_base), self.stamps[-1] if self.stamps else 0.0
        self.stamps.append(last if stamp is None else stamp * base)
        self.decoded.append(self.stamps[-1] if packet.dts is None else packet.dts * base)
        self.shown.append(stamp is not None and not packet.is_discard and _is_seen(packet))
        self.keys.append(packet.is_keyframe)
        self.places.append(packet.pos if packet.pos is not None else self.places[-1] if self.places else 0)


def make_clock(pictures: Track, sounds: Track, *, leaps: bool, listed: int) -> Clock:
    """Return the clock for all packets of a file's pictures and sound.

    ``leaps``: its time stamps may leap ahead, as those of MPEG transport streams do. ``listed``: how many pictures its
    index lists, 0 without one.
    """
    begins = _picture_breaks(pictures, leaps)
    shifts = _shifts(pictures, begins)
    sound_begins = _sound_breaks(sounds, leaps, [pictures.places[number] for number in begins])
    parts = tuple(Recording(first, shift) for first, shift in zip(begins, shifts, strict=True))
    heard = tuple(Recording(first, shifts[which]) for first, which in sound_begins)
    times = np.sort(_moved(pictures, parts)[np.array(pictures.shown, bool)])
    heard_at = _moved(sounds, heard)[np.array(sounds.shown, bool)]
    start = float(heard_at.min()) if len(heard_at) else None
    return Clock(times, max(0, listed - len(pictures.stamps)), parts, heard, start)


def mended(packets: Iterator[Packet], recordings: tuple[Recording, ...]) -> Iterator[Packet]:
    """Move the time stamps of one track's packets to the common clock."""
    if len(recordings) < 2:
        yield from packets
        return
    number, ahead = 0, list(recordings)
    for packet in packets:
        if packet.size:
            if len(ahead) > 1 and number >= ahead[1].first:
                ahead.pop(0)
            move(packet, ahead[0].shift)
            number += 1
        yield packet


def move(packet: Packet, seconds: float) -> None:
    """Add ``seconds`` to a packet's time stamps."""
    ticks = round(seconds / float(packet.time_base))
    packet.pts = None if packet.pts is None else packet.pts + ticks
    packet.dts = None if packet.dts is None else packet.dts + ticks


def _usual(times: NDArray[np.float64]) -> float:
    gaps = np.diff(np.sort(times))
    gaps = gaps[gaps > 0]
    return float(np.median(gaps)) if len(gaps) else 0.04


def _picture_breaks(track: Track, leaps: bool) -> list[int]:
    """Numbers of the packets with which a clock begins, the first one included.

    A key frame is shown after all that is stored before it. One that is not begins a new recording.
    """
    if not track.stamps:
        return []
    breaks, latest = [0], track.stamps[0]
    for number, (last, now) in enumerate(pairwise(track.decoded), 1):
        stamp = track.stamps[number]
        back = (track.keys[number] and stamp <= latest and now < last) or now < last - 1.0
        if track.shown[number] and (back or (leaps and now > last + _LEAP)):
            breaks.append(number)
            latest = stamp
        latest = max(latest, stamp)
    return breaks


def _sound_breaks(track: Track, leaps: bool, places: list[int]) -> list[tuple[int, int]]:
    """(number of the first packet, number of the pictures' recording) of each of the sound's recordings."""
    if not track.stamps:
        return []
    own = [0]
    for number, (last, now) in enumerate(pairwise(track.stamps), 1):
        if now < last - _SOUND_BACK or (leaps and now > last + _LEAP):
            own.append(number)
    if len(own) == len(places):
        return list(zip(own, range(len(own)), strict=True))
    # One of them has no sound, or a break that the pictures don't have: go by where the packets lie in the file.
    recordings = np.maximum(np.searchsorted(places, track.places, side="right") - 1, 0)
    found = [0, *(np.flatnonzero(np.diff(recordings)) + 1).tolist()]
    return [(number, int(recordings[number])) for number in found]


def _shifts(track: Track, begins: list[int]) -> list[float]:
    """Seconds by which each recording moves so that it begins where the one before it ends."""
    stamps, shown = np.array(track.stamps), np.array(track.shown, bool)
    shifts, end = [], 0.0
    for first, after in pairwise([*begins, len(stamps)]):
        times = stamps[first:after][shown[first:after]]
        if not len(times):
            times = stamps[first:after]
        shifts.append(end - float(times.min()) if first else 0.0)
        end = float(times.max()) + shifts[-1] + _usual(times)
    return shifts


def _moved(track: Track, recordings: tuple[Recording, ...]) -> NDArray[np.float64]:
    times = np.array(track.stamps, float)
    for one, after in pairwise([*recordings, None]):
        times[one.first : after.first if after else None] += one.shift  # type: ignore[union-attr]
    return times

"""Parts of a video become one, without being encoded again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from pathlib import Path
from typing import Any, TypeAlias

import av
import av.audio.stream
import av.container
import av.error
import av.packet
import ffmpeg
import imageio_ffmpeg

from faceengine import files
from faceengine.errors import InputError
from faceengine.files import disk_full, is_disk_full
from faceengine.video.container import opened
from faceengine.video.sound import sound_of
from faceengine.video.writing import failure, movflags, quiet, spare_sound

Packet: TypeAlias = "av.packet.Packet[Any]"


@dataclass(frozen=True)
class Part:
    """One of the videos to join, and how many frames it must have."""

    path: Path
    frames: int


def join_videos(
    parts: Sequence[Part],
    path: Path,
    *,
    audio_from: Path | None = None,
    on_frame: Callable[[int], None] = lambda _: None,
    tag: tuple[str, str] | None = None,
) -> None:
    """Write the frames of ``parts``, all made by :class:`VideoWriter` alike, one after the other into ``path``.

    Each part is as it was encoded: it begins with a key frame and needs nothing of its neighbours. Frame ``i`` of the
    whole is shown at ``i / fps`` seconds, exactly. The sound is what :class:`VideoWriter` makes of ``audio_from``.
    ``tag`` is a key of ``moov/udta/meta`` and its text. ``on_frame`` hears how many frames are in, and may raise to
    give up. The file appears when it is whole; raises :class:`InputError` ``join.parts`` for parts that don't belong
    together or lack frames, and ``disk.full``.
    """
    hidden, sound = files.partial(path), path.with_name(f".{path.stem}.sound.mp4")
    try:
        has_sound = audio_from is not None and _extract_sound(audio_from, sound)
        with _sounds(sound if has_sound else None) as track:
            _mux(_frames(parts, on_frame), track, hidden, tag)
        with hidden.open("rb") as file:
            os.fsync(file.fileno())
        files.publish(hidden, path)
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(path) from error
        raise
    finally:
        hidden.unlink(missing_ok=True)
        sound.unlink(missing_ok=True)


def _mux(pictures: Iterator[Packet], sounds: Iterator[Packet], path: Path, tag: tuple[str, str] | None) -> None:
    """Write the packets of both, in the order in which they are decoded, into the tracks of ``path``."""
    heads = [next(packets, None) for packets in (pictures, sounds)]
    options = {"movflags": movflags(tag)}
    if heads[1] is not None:
        # Of a clock of 1 ms, the default, a sound that begins later than the pictures would be some samples off.
        options["movie_timescale"] = str(heads[1].time_base.denominator)
    with closing(av.open(str(path), "w", format="mp4", options=options)) as made:
        made.metadata.update([tag] if tag else [])
        tracks = {packet.stream.type: made.add_stream_from_template(packet.stream) for packet in heads if packet}
        for packet in merge(_with(heads[0], pictures), _with(heads[1], sounds), key=_decoded_at):
            packet.stream = tracks[packet.stream.type]
            made.mux(packet)


def _frames(parts: Sequence[Part], on_frame: Callable[[int], None]) -> Iterator[Packet]:
    """All pictures, the time stamps of each part moved to where it begins in the whole."""
    done, kinds = 0, set()
    for part in parts:
        with opened(part.path) as (container, stream):
            kinds.add((stream.codec_context.extradata, stream.time_base, stream.average_rate))
            if len(kinds) > 1:
                raise InputError("join.parts", f"{part.path} was not encoded as the parts before it")
            length = _ticks(part, stream.time_base, stream.average_rate)
            shown = set()
            for packet in _packets(container.demux(stream)):
                shown.add(packet.pts)
                yield _later(packet, done * length)
                on_frame(done + len(shown))
        if shown != {index * length for index in range(part.frames)}:
            raise InputError("join.parts", f"{part.path} has {len(shown)} frames where {part.frames} were expected")
        done += part.frames


def _later(packet: Packet, ticks: int) -> Packet:
    if packet.pts is None or packet.dts is None:
        raise InputError("join.parts", "a part has frames that no time is known of")
    packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
    return packet


def _ticks(part: Part, time_base: Fraction | None, rate: Fraction | None) -> int:
    """How long one frame is by the part's own clock."""
    ticks = 1 / (time_base * rate) if time_base and rate else Fraction(0)
    if not ticks or ticks.denominator != 1:
        raise InputError("join.parts", f"{part.path} is of no steady rate")
    return ticks.numerator


def _extract_sound(source: Path, path: Path) -> bool:
    """Write the sound of ``source`` as :class:`VideoWriter` would into a file of its own; whether there is any."""
    spare = spare_sound(path)
    try:
        sound = sound_of(source, spare)
        if sound is None:
            return False
        node = quiet(ffmpeg.output(sound[0], f"file:{path}", **sound[1]))
        command = ffmpeg.compile(node, cmd=imageio_ffmpeg.get_ffmpeg_exe(), overwrite_output=True)
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    finally:
        spare.unlink(missing_ok=True)
    if ended.returncode:
        raise failure(path, " | ".join(ended.stderr.decode(errors="replace").split("\n")[-12:]), ended.returncode)
    return True


@contextmanager
def _sounds(path: Path | None) -> Iterator[Iterator[Packet]]:
    """The packets of a file that has nothing but sound."""
    if path is None:
        yield iter(())
        return
    with closing(av.open(str(path))) as container:
        yield _packets(container.demux(audio=0))


def _packets(found: Iterable[Packet]) -> Iterator[Packet]:
    """Without the empty one that marks a track's end."""
    return (packet for packet in found if packet.size)


def _with(first: Packet | None, rest: Iterator[Packet]) -> Iterator[Packet]:
    if first is not None:
        yield first
        yield from rest


def _decoded_at(packet: Packet) -> Fraction:
    return (packet.dts or 0) * packet.time_base

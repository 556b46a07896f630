"""A video becomes H.264 and AAC in MP4: upright, square pixels, even sides, a steady rate, 8 bits, no metadata."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av.container

from faceengine import files
from faceengine.errors import InputError
from faceengine.events import Message, OnEvent, Progress, ShouldStop
from faceengine.geometry import Image
from faceengine.intake.child import Child
from faceengine.intake.command import Source, command
from faceengine.intake.config import IntakeConfig
from faceengine.intake.made import POSTER, Made, write_filmstrip, write_poster
from faceengine.video import VideoInfo, probe, read_frames
from faceengine.video.container import decoder_of, opened, sound_track
from faceengine.video.mending import write_mended
from faceengine.video.reading import survey
from faceengine.video.remarks import remarks

_ENDING = ".mp4"
_SPARE = (".nut", ".cube")
_STRIP = "filmstrip.webp"

_STRIP_FRAMES = 10
_MOST_GAPS = 10
"""A video whose time stamps come to so many times the frames it has is mostly gaps."""
_MOST_WAIT, _MOST_WAIT_A_FRAME = 300.0, 1.0
"""Seconds that all of a video, and on the whole each frame of it, may take."""
_MOST_DATA = 4
"""Tracks of data (places, time codes, motion) for each one of pictures, sound or text that is allowed."""


def names(name: str) -> tuple[str, ...]:
    """All that taking in a video may make."""
    hidden = (files.partial(Path(name + ending)).name for ending in (_ENDING, *_SPARE))
    return name + _ENDING, *hidden, _STRIP, POSTER


def take_in(config: IntakeConfig, run_dir: Path, on_event: OnEvent, should_stop: ShouldStop) -> Made | None:
    """Write the video, its poster and its filmstrip; ``None`` if stopped. Raises :class:`InputError` ``video.*``."""
    source = _look(config)
    fps = min(source.info.fps, Fraction(config.keep_fps))
    frames = max(1, round(source.info.steady_frames * fps / source.info.fps))
    for remark in _remarks(config, source, fps):
        on_event(remark)
    path = run_dir / (config.name + _ENDING)
    part, *spare = (files.partial(run_dir / (config.name + ending)) for ending in (_ENDING, *_SPARE))
    try:
        source = _made_readable(config, source, *spare)
        child = Child(
            command(config, source, fps, frames, part),
            reads=source.mended or config.file,
            writes=run_dir,
            patience=config.patience,
            longest=_MOST_WAIT + _MOST_WAIT_A_FRAME * frames,
        )
        for done in child.frames(should_stop):
            on_event(Progress("intake", min(done, frames), frames))
        if child.stopped:
            return None
        made = _made(part, path.name)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        files.publish(part, path)
    finally:
        part.unlink(missing_ok=True)
        for other in spare:
            other.unlink(missing_ok=True)
    promised = max(frames, round(source.info.frames * fps / source.info.fps))
    if made.frames < promised:
        text = f"it ends early: {made.frames} of {promised} frames are whole"
        on_event(Message("warning", "video.truncated", text))
    _draw(run_dir, made)
    return made


def _look(config: IntakeConfig) -> Source:
    """Refuse what is too much, by the header and the packets alone."""
    with opened(config.file) as (container, stream):
        _check_tracks(config, container)
        if container.format.name != "mpegts":  # which has no header: the length is a guess by time stamps
            _check_length(config, (container.duration or 0) / 1e6)
        track, decoder, sound = stream.index, decoder_of(stream), sound_track(container)
        heard = None if sound is None else sound.index
        average = stream.average_rate
    info, seen = probe(config.file), survey(config.file)
    # Of pictures whose fields are stored apart, headers tell the fields' rate.
    if max(info.fps, average if info.variable_rate and average else 0) > config.max_fps:
        raise InputError("video.rate", f"it has {float(info.fps):.0f} frames/s, over {config.max_fps}")
    _check_length(config, max(info.duration, float(info.steady_frames / info.fps)), info)
    if min(info.width, info.height) < config.min_side:
        raise InputError("video.too_small", f"it has {info.width}×{info.height} pixels, under {config.min_side} a side")
    first = seen.first
    assert first is not None  # probe has seen to that
    return Source(info, seen.grid.origin, track, heard, decoder, first.stored, first.look, first.turn)


def _check_tracks(config: IntakeConfig, container: av.container.InputContainer) -> None:
    tracks = len(container.streams)
    shown = tracks - len(container.streams.data)
    if shown > config.max_tracks or tracks > (1 + _MOST_DATA) * config.max_tracks:
        raise InputError("video.tracks", f"it has {tracks} tracks, more than {config.max_tracks}")


def _made_readable(config: IntakeConfig, source: Source, mended: Path, table: Path) -> Source:
    """The source with what ffmpeg needs of it in the run folder, beside which it may read the file alone."""
    seen = survey(config.file)
    if seen.clock.is_mended:
        write_mended(config.file, seen, mended)
        source = replace(source, mended=mended)
    if source.look.table is not None:
        shutil.copyfile(source.look.table, table)
        source = replace(source, table=table)
    return source


def _remarks(config: IntakeConfig, source: Source, fps: Fraction) -> Iterator[Message]:
    yield from remarks(config.file)
    if fps < source.info.fps:
        text = f"it has {float(source.info.fps):.0f} frames/s: {float(fps):.0f} of them are kept"
        yield Message("warning", "video.rate_lowered", text)


def _check_length(config: IntakeConfig, seconds: float, info: VideoInfo | None = None) -> None:
    if info and info.steady_frames > _MOST_GAPS * info.frames + 30 * info.fps:
        raise InputError("video.gap", f"its {info.frames} frames are spread over {seconds:.0f} seconds")
    if seconds > 60 * config.max_minutes:
        raise InputError("video.too_long", f"it lasts {seconds / 60:.0f} minutes, more than {config.max_minutes}")


def _made(part: Path, name: str) -> Made:
    """What came out, by looking at it as anybody would."""
    info = probe(part)
    return Made(
        name,
        info.width,
        info.height,
        filmstrip=_STRIP,
        frames=info.frames,
        fps=round(float(info.fps), 4),
        duration=round(float(info.frames / info.fps), 3),
        has_sound=info.has_audio,
    )


def _draw(run_dir: Path, made: Made) -> None:
    """A poster from the first quarter, where titles and fades are over, and a strip of the whole."""
    at = [made.frames * (2 * place + 1) // (2 * _STRIP_FRAMES) for place in range(_STRIP_FRAMES)]
    strip = list(_pictures(run_dir / made.file, at))
    write_filmstrip(strip, run_dir / _STRIP)
    write_poster(strip[_STRIP_FRAMES // 4], run_dir / POSTER)


def _pictures(path: Path, indices: list[int]) -> Iterator[Image]:
    fps = probe(path).fps
    for index in indices:
        yield next(read_frames(path, start=index, constant_rate=True, fps=fps)).image

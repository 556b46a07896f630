"""A video becomes H.264 and AAC in MP4: upright, square pixels, even sides, a steady rate, 8 bits, no metadata."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from faceengine import files
from faceengine.errors import InputError
from faceengine.events import Message, OnEvent, Progress, ShouldStop
from faceengine.geometry import Image
from faceengine.intake.child import Child
from faceengine.intake.config import IntakeConfig
from faceengine.intake.made import POSTER, Made, write_filmstrip, write_poster
from faceengine.video import MAX_PIXELS, VideoInfo, probe, read_frames
from faceengine.video.container import CODECS, READER, opened

_ENDING = ".mp4"
_STRIP = "filmstrip.webp"

_STRIP_FRAMES = 10
_MOST_GAPS = 10
"""A video whose time stamps come to so many times the frames it has is mostly gaps."""
_MOST_WAIT, _MOST_WAIT_A_FRAME = 300.0, 1.0
"""Seconds that all of a video, and on the whole each frame of it, may take."""
_UNTAGGED = 2
_HDR = (16, 18)
"""Transfer characteristics of PQ and HLG."""
_KEY_FRAME_SECONDS = 2
"""Players, and readers that begin in the middle, wait for at most so much to be decoded."""


@dataclass(frozen=True)
class _Source:
    """What ffmpeg must be told of a file."""

    info: VideoInfo
    track: int
    """Index of its first real picture track."""
    space: int
    transfer: int


def names(name: str) -> tuple[str, ...]:
    """All that taking in a video may make."""
    return name + _ENDING, files.partial(Path(name + _ENDING)).name, _STRIP, POSTER


def take_in(config: IntakeConfig, run_dir: Path, on_event: OnEvent, should_stop: ShouldStop) -> Made | None:
    """Write the video, its poster and its filmstrip; ``None`` if stopped. Raises :class:`InputError` ``video.*``."""
    source = _look(config)
    fps = min(source.info.fps, Fraction(config.keep_fps))
    frames = max(1, round(source.info.steady_frames * fps / source.info.fps))
    path = run_dir / (config.name + _ENDING)
    part = files.partial(path)
    try:
        child = Child(
            _command(config, source, fps, frames, part),
            reads=config.file,
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
    if made.frames < 0.98 * frames:
        on_event(Message("warning", "video.truncated", f"it ends early: {made.frames} of {frames} frames are whole"))
    _draw(run_dir, made)
    return made


def _look(config: IntakeConfig) -> _Source:
    """Refuse what is too much, by the header and the packets alone."""
    with opened(config.file) as (container, stream):
        if len(container.streams) > config.max_tracks:
            raise InputError("video.tracks", f"it has {len(container.streams)} tracks, more than {config.max_tracks}")
        _check_length(config, (container.duration or 0) / 1e6)
        if stream.average_rate and stream.average_rate > config.max_fps:
            raise InputError("video.rate", f"it has {float(stream.average_rate):.0f} frames/s, over {config.max_fps}")
        track, space = stream.index, int(stream.codec_context.colorspace)
        transfer = int(stream.codec_context.color_trc)
        for sound in container.streams.audio[:1]:
            if sound.codec_context is None or sound.codec_context.name not in CODECS.split(","):
                raise InputError("video.sound", "its sound is of a kind that is not accepted")
    info = probe(config.file)
    _check_length(config, max(info.duration, float(info.steady_frames / info.fps)), info)
    if min(info.width, info.height) < config.min_side:
        raise InputError("video.too_small", f"it has {info.width}×{info.height} pixels, under {config.min_side} a side")
    return _Source(info, track, space, transfer)


def _check_length(config: IntakeConfig, seconds: float, info: VideoInfo | None = None) -> None:
    if info and info.steady_frames > _MOST_GAPS * info.frames + 30 * info.fps:
        raise InputError("video.gap", f"its {info.frames} frames are spread over {seconds:.0f} seconds")
    if seconds > 60 * config.max_minutes:
        raise InputError("video.too_long", f"it lasts {seconds / 60:.0f} minutes, more than {config.max_minutes}")


def _command(config: IntakeConfig, source: _Source, fps: Fraction, frames: int, part: Path) -> list[str]:
    """ffmpeg's arguments. It stops at ``frames`` whatever the time stamps say."""
    reader = [word for name, value in READER.items() for word in (f"-{name}", value)]
    pictures = ["-map", f"0:{source.track}", "-vf", _filters(config, source, fps), "-frames:v", str(frames + 1)]
    encoder = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "17", "-pix_fmt", "yuv420p"]
    encoder += ["-g", str(round(_KEY_FRAME_SECONDS * fps)), "-fps_mode", "cfr", "-r", str(fps)]
    # Resampled where its time stamps have holes, so that it stays with the pictures.
    sound = ["-map", "0:a:0?", "-c:a", "aac", "-b:a", "192k", "-ac", "2", "-ar", "48000"]
    sound += ["-af", "aresample=async=1:first_pts=0", "-t", f"{float((frames + 1) / fps):.3f}"]
    bare = ["-map_metadata", "-1", "-map_metadata:s", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]
    bare += ["-flags:v", "+bitexact", "-flags:a", "+bitexact", "-sn", "-dn"]
    first = ["-max_pixels", str(MAX_PIXELS), *reader, "-i", f"file:{config.file}"]
    return [*first, *pictures, *encoder, *sound, *bare, "-movflags", "+faststart", f"file:{part}"]


def _filters(config: IntakeConfig, source: _Source, fps: Fraction) -> str:
    """Upright it is already: ffmpeg turns a picture before its first filter."""
    width, height = source.info.width, source.info.height
    shrink = min(1.0, config.max_side / max(width, height))
    width, height = round(width * shrink), round(height * shrink)
    matrix = "bt709" if height >= 720 else "smpte170m"
    space = "auto"
    if source.space == _UNTAGGED:
        space = "bt709" if source.info.height >= 720 else "smpte170m"
    chain = [f"fps={fps}:start_time=0"]
    if source.transfer in _HDR:
        chain += [
            "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709",
            "tonemap=hable:desat=0",
            "zscale=t=bt709:m=bt709:r=tv,format=yuv420p",
        ]
        space = "bt709"
    chain += [
        f"scale={width}:{height}:flags=bicubic+accurate_rnd:in_color_matrix={space}"
        f":out_color_matrix={matrix}:out_range=tv",
        "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0:exact=1,setsar=1",
        f"setparams=colorspace={matrix}:color_primaries={matrix}:color_trc={matrix}:range=tv",
    ]
    return ",".join(chain)


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

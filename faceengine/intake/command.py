"""The ffmpeg command that makes a stranger's video a plain one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from faceengine.intake.config import IntakeConfig
from faceengine.video import MAX_PIXELS, VideoInfo
from faceengine.video.container import READER
from faceengine.video.filters import DEINTERLACE, Filter, Look, as_text, colour_filters
from faceengine.video.mending import LEAD, READ_MENDED
from faceengine.video.sound import IN_STEP
from faceengine.video.upright import Turn

_KEY_FRAME_SECONDS = 2
"""Players, and readers that begin in the middle, wait for at most so much to be decoded."""
_KIND = "bicubic+accurate_rnd"


@dataclass(frozen=True)
class Source:
    """What ffmpeg must be told of a file."""

    info: VideoInfo
    origin: float
    """Seconds on the file's clock at which the first picture is shown."""
    track: int
    """Index of its picture track."""
    sound: int | None
    """Index of the sound track to take."""
    decoder: str
    """The picture track's decoder, if it isn't the usual one."""
    stored: tuple[int, int]
    """Width and height of the first picture as it is stored."""
    look: Look
    turn: Turn
    mended: Path | None = None
    """The file with one clock in its place."""
    table: Path | None = None
    """A table of colours that ffmpeg may read."""


def command(config: IntakeConfig, source: Source, fps: Fraction, frames: int, part: Path) -> list[str]:
    """ffmpeg's arguments. It stops at ``frames`` whatever the time stamps say."""
    options, file, track, sound = READER, config.file, f"{source.track}", f"{source.sound}"
    if source.mended is not None:
        options, file, track, sound = READ_MENDED, source.mended, "v:0", "a:0"
    origin = source.origin if source.mended is None else LEAD
    # Filters last for the whole file, whatever its pictures' size; they turn pictures themselves.
    first = ["-copyts", "-max_pixels", str(MAX_PIXELS), "-noautorotate", "-reinit_filter", "0"]
    first += ["-c:v", source.decoder] if source.decoder else []
    first += [word for name, value in options.items() for word in (f"-{name}", value)] + ["-i", f"file:{file}"]
    pictures = ["-map", f"0:{track}", "-vf", as_text(_filters(config, source, origin, fps))]
    pictures += ["-frames:v", str(frames), "-c:v", "libx264", "-preset", "veryfast", "-crf", "17"]
    pictures += ["-pix_fmt", "yuv420p", "-g", str(round(_KEY_FRAME_SECONDS * fps)), "-fps_mode", "cfr", "-r", str(fps)]
    sounds = ["-an"]
    if source.sound is not None:
        sounds = ["-map", f"0:{sound}", "-c:a", "aac", "-b:a", "192k", "-ac", "2", "-ar", "48000"]
        sounds += ["-af", f"asetpts=PTS-{origin:.9f}/TB,{IN_STEP}", "-t", f"{float((frames + 1) / fps):.3f}"]
    bare = ["-map_metadata", "-1", "-map_metadata:s", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]
    bare += ["-flags:v", "+bitexact", "-flags:a", "+bitexact", "-sn", "-dn"]
    return [*first, *pictures, *sounds, *bare, "-movflags", "+faststart", f"file:{part}"]


def _filters(config: IntakeConfig, source: Source, origin: float, fps: Fraction) -> list[Filter]:
    width, height = source.info.width, source.info.height
    shrink = min(1.0, config.max_side / max(width, height))
    width, height = round(width * shrink), round(height * shrink)
    matrix = "bt709" if height >= 720 else "smpte170m"
    colours = colour_filters(source.look, source.table)
    space = "auto" if colours else source.look.matrix
    size: Filter = ("scale", {"w": f"{width}", "h": f"{height}", "flags": _KIND, "in_color_matrix": space})
    size[1].update({"out_color_matrix": matrix, "out_range": "tv"})
    tags = {"colorspace": matrix, "color_primaries": "bt709", "color_trc": "bt709", "range": "tv"}
    return [
        *_of_one_size(*source.stored),
        DEINTERLACE,
        ("setpts", {"expr": _place(origin, source.info.fps)}),
        ("fps", {"fps": str(fps), "start_time": "0"}),
        *colours,
        *source.turn.filters,
        ("sidedata", {"mode": "delete", "type": "DISPLAYMATRIX"}),
        size,
        ("crop", {"w": "trunc(iw/2)*2", "h": "trunc(ih/2)*2", "x": "0", "y": "0", "exact": "1"}),
        ("setsar", {"sar": "1"}),
        ("setparams", tags),
    ]


def _of_one_size(width: int, height: int) -> list[Filter]:
    """Pictures of another size than the first are fitted into it."""
    size = {"w": f"{width}", "h": f"{height}"}
    return [
        ("scale", size | {"flags": _KIND, "force_original_aspect_ratio": "decrease"}),
        ("pad", size | {"x": "-1", "y": "-1", "eval": "frame"}),
    ]


def _place(origin: float, fps: Fraction) -> str:
    """Each picture's time: that of its place on the steady rate, and never that of the one before it.

    It is what :class:`faceengine.video.steady.Grid` makes of the same time stamps.
    """
    rate = f"{fps.numerator}/{fps.denominator}"
    nearest = f"round((T-({origin:.9f}))*{rate})"
    place = f"st(0,if(eq(N,0),{nearest},max({nearest},ld(0)+1)))"
    return f"floor({place}/({rate})/TB+0.5)"

"""The sound of a video on its way into an MP4, in step with the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ffmpeg

from faceengine.video.container import READER, codec_of, opened, sound_track
from faceengine.video.mending import READ_MENDED, write_mended
from faceengine.video.reading import survey

_MP4_SOUND = frozenset({"aac", "mp3", "mp3float", "opus", "libopus", "flac"})
AAC = {"c:a": "aac", "b:a": "192k"}
IN_STEP = "aresample=async=1:first_pts=0"
"""Filled where there is none, and cut where it begins before the pictures."""


def sound_of(path: Path, spare: Path) -> tuple[Any, dict[str, Any]] | None:
    """A video's sound track as an ffmpeg-python stream, and how it goes into MP4; ``None`` without one.

    Time 0 is that of the first picture, for an ffmpeg with ``-copyts``. ``spare`` is a file that may be written for it
    and is to be removed afterwards. Sound is copied where MP4 can hold it, else encoded as AAC at 192 kbit/s.
    """
    with opened(path) as (container, _):
        track = sound_track(container)
        if track is None:
            return None
        index, codec = track.index, codec_of(track)
    seen = survey(path)
    if seen.clock.is_mended:
        write_mended(path, seen, spare, pictures=False)
        return ffmpeg.input(f"file:{spare}", **READ_MENDED)["a:0"], AAC | {"af": IN_STEP}
    begin = f"{-seen.grid.origin:.9f}"
    source = ffmpeg.input(f"file:{_plain_name(path, spare)}", itsoffset=begin, **READER)
    return source[str(index)], {"c:a": "copy"} if codec in _MP4_SOUND else AAC | {"af": IN_STEP}


def _plain_name(path: Path, spare: Path) -> Path:
    """``path``, or a link to it where its name is not UTF-8: ffmpeg-python takes no other."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        spare.symlink_to(path.absolute())
        return spare
    return path

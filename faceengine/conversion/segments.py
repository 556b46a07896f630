"""A long conversion in parts, side by side on as many machines as there are, and joined without a seam.

Parts are cut where a conversion begins anew in any case (``chunks.py``), so each frame comes out as it would have
without parts. Nothing here needs torch.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from faceengine.config import Config, option
from faceengine.conversion.chunks import borders
from faceengine.conversion.claim import only_writer
from faceengine.conversion.config import ConvertConfig, ConvertResult
from faceengine.errors import ConfigError, InputError
from faceengine.events import Message, OnEvent, Progress, ShouldStop, ignore, never
from faceengine.provenance.aigc import KEY
from faceengine.provenance.marks import Marks, forget_unsigned, unsigned_name
from faceengine.reference import References
from faceengine.video import Part, join_videos, probe

SHORTEST = 15.0
"""Seconds of video below which a part of its own doesn't pay: each loads the networks first."""
MANY = 30
"""Parts from which on they are made longer instead of more, up to :data:`LONGEST` chunks."""
LONGEST = 3
REPORT_EVERY = 0.25
"""Seconds between two reports of progress."""


def plan(config: ConvertConfig) -> list[dict[str, Any]]:
    """What of ``config`` differs in each part, in order; nothing for a video that is too short for two parts.

    Raises :class:`InputError` for a video that can't be used.
    """
    info = probe(config.video)
    end = config.start + config.length(info.steady_frames)
    inner = list(borders(config.start, end, info.fps))
    apart = min(LONGEST, len(inner) // MANY + 1)
    inner = [border for border in inner[apart - 1 :: apart] if _far(border, config.start, end, info.fps)]
    if not inner:
        return []
    # Where the last one ends is not counted but seen: headers promise more than files hold.
    cuts = [config.start, *inner, config.end]
    stem = Path(config.name).stem
    return [
        {"start": start, "end": end, "name": f"{stem}-{number:03d}.mp4", "marks": "label"}
        for number, (start, end) in enumerate(pairwise(cuts))
    ]


def _far(border: int, start: int, end: int, fps: Fraction) -> bool:
    return min(border - start, end - border) >= SHORTEST * fps


@dataclass(frozen=True)
class JoinConfig(Config):
    """What of a conversion's config its join needs, and its parts."""

    video: Path = option(help="the video that was converted; its sound becomes the result's")
    name: str = option("result.mp4", help="file name of the result")
    start: int = option(0, help="first frame that was converted, from 0", low=0)
    end: int | None = option(None, help="frame before which it stopped (default: the video's end)", low=1)
    parts: tuple[ConvertResult, ...] = option((), help="what the conversions of the parts gave, in order")

    def check(self) -> None:
        if not self.parts:
            raise ConfigError("join.parts", "there are no parts to join")

    @property
    def whole(self) -> bool:
        """Whether the parts are the video from its first to its last frame."""
        return self.start == 0 and self.end is None


@dataclass(frozen=True)
class JoinResult:
    """The joined video, as :class:`ConvertResult` tells of an undivided one."""

    path: Path
    frames: int
    swapped: int
    """Frames in which the person was found and replaced."""
    stopped: bool
    signed_by: str = ""
    """Common name of the signer."""
    checked: str = ""
    """As of :class:`ConvertResult`, and so are those below."""
    refused: int = 0
    nearest: float | None = None


class _Stopped(Exception):  # noqa: N818 - not an error
    """Somebody asked to stop."""


def join(
    config: JoinConfig, run_dir: Path, *, on_event: OnEvent = ignore, should_stop: ShouldStop = never
) -> JoinResult:
    """Join the parts into ``run_dir / config.name``, which appears whole and signed, with the sound of the video.

    Raises :class:`InputError` ``sign.…`` if nobody can sign, ``join.parts`` for parts that lack frames or don't fit
    together, ``convert.no_person`` or ``convert.other_person`` if nobody was replaced in any part of a whole video,
    ``convert.reference`` for parts that were compared with other recordings of who agreed than there are now,
    ``output.busy`` and ``disk.full``. Stopped it leaves no file.
    """
    path = run_dir / config.name
    marks = Marks.here()
    run_dir.mkdir(parents=True, exist_ok=True)
    checked = _checked(config.parts)
    total, swapped = sum(part.frames for part in config.parts), sum(part.swapped for part in config.parts)
    refused = sum(part.refused for part in config.parts)
    nearest = min((part.nearest for part in config.parts if part.nearest is not None), default=None)
    if swapped == 0:
        code = "convert.other_person" if refused else "convert.no_person"
        text = f"the person to be replaced is in none of the {total} frames of {config.video}"
        if config.whole:
            raise InputError(code, text)
        on_event(Message("warning", code, text))
    reported = 0.0

    def on_frame(done: int) -> None:
        nonlocal reported
        if should_stop():
            raise _Stopped
        if done == total or time.monotonic() - reported >= REPORT_EVERY:
            reported = time.monotonic()
            on_event(Progress("join", done, total))

    parts = [Part(part.path, part.frames) for part in config.parts]
    with only_writer(path):
        try:
            sound = config.video if config.whole else None
            made = unsigned_name(path)
            join_videos(parts, made, audio_from=sound, on_frame=on_frame, tag=(KEY, marks.aigc))
            models = tuple(dict.fromkeys(part.model for part in config.parts if part.model))
            signed_by = marks.sign(made, path, models=models, source=config.video, on_event=on_event)
        except _Stopped:
            return JoinResult(path, 0, 0, stopped=True)
        finally:
            forget_unsigned(path)
    return JoinResult(path, total, swapped, False, signed_by, checked, refused, nearest)


def _checked(parts: Sequence[ConvertResult]) -> str:
    """By which recordings all parts were compared; they must be those of the people who agree now."""
    references = References.here()
    expected = "" if references is None else references.digest
    if references is not None and any(part.checked != expected for part in parts):
        raise InputError(
            "convert.reference",
            "the recordings of the consents have changed since parts of the video were converted: convert it again",
        )
    return expected

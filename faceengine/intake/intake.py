"""Take in one file: find out what it is, make it a plain video or picture, and draw what pages show of it.

Limits are checked against the header before anything is decoded. What decodes a stranger's video to its end is a child
process with limits of its own; the rest is done in the body of the job, which is confined as well (its kind says so).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceengine import files
from faceengine.boxes import TooManyBoxesError, check_boxes
from faceengine.errors import InputError
from faceengine.events import OnEvent, Progress, ShouldStop, ignore, never
from faceengine.intake import photo, video
from faceengine.intake.config import IntakeConfig
from faceengine.intake.sniff import sniff


@dataclass(frozen=True)
class IntakeResult:
    """What was made of a file. Names are those of files in the run folder."""

    stopped: bool
    kind: str = ""
    """``video`` or ``photo``."""
    sha256: str = ""
    """Of the file as it came."""
    size: int = 0
    """Bytes of all that was made."""
    file: str = ""
    poster: str = ""
    filmstrip: str = ""
    """Empty for a photo."""
    width: int = 0
    height: int = 0
    frames: int = 1
    fps: float = 0.0
    """0 for a photo, as are ``duration`` and ``has_sound``."""
    duration: float = 0.0
    has_sound: bool = False


def run(
    config: IntakeConfig, run_dir: Path, *, on_event: OnEvent = ignore, should_stop: ShouldStop = never
) -> IntakeResult:
    """Make ``run_dir`` hold what the studio keeps of ``config.file``.

    Raises :class:`InputError` for a file that is refused: ``file.empty``, ``file.unknown``, ``file.duplicate`` (its
    hash is among ``config.known``), ``video.*``, ``photo.*``; nothing of it is left in ``run_dir`` then.
    """
    with files.only_process(run_dir):
        on_event(Progress("intake", 0))
        kind = sniff(config.file)
        _count_boxes(config.file)
        digest = files.sha256(config.file)
        if digest in config.known:
            raise InputError("file.duplicate", "this very file is here already")
        try:
            take_in = video.take_in if kind == "video" else photo.take_in
            made = take_in(config, run_dir, on_event, should_stop)
        except BaseException:
            _clear(run_dir, config.name)
            raise
        if made is None:
            _clear(run_dir, config.name)
            return IntakeResult(stopped=True)
    names = [name for name in (made.file, made.poster, made.filmstrip) if name]
    size = sum((run_dir / name).stat().st_size for name in names)
    return IntakeResult(
        stopped=False,
        kind=kind,
        sha256=digest,
        size=size,
        file=made.file,
        poster=made.poster,
        filmstrip=made.filmstrip,
        width=made.width,
        height=made.height,
        frames=made.frames,
        fps=made.fps,
        duration=made.duration,
        has_sound=made.has_sound,
    )


def _count_boxes(path: Path) -> None:
    try:
        check_boxes(path)
    except TooManyBoxesError as error:
        raise InputError("video.boxes", "it has more boxes or tracks than any real video") from error


def _clear(run_dir: Path, name: str) -> None:
    """Remove what was made so far."""
    for made in {*photo.names(name), *video.names(name)}:
        (run_dir / made).unlink(missing_ok=True)

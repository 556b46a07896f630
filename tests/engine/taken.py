"""What a file becomes: taken in as an upload, or written as a conversion writes its frames and sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceengine.events import Event, Message
from faceengine.intake.config import IntakeConfig
from faceengine.intake.intake import IntakeResult, run
from faceengine.video import VideoWriter, probe, read_frames


@dataclass(frozen=True)
class Taken:
    """The file that was made, what the intake says of it, and the codes of its messages."""

    path: Path
    result: IntakeResult
    codes: list[str]


def take_in(file: Path, folder: Path, **options: int) -> Taken:
    """Take ``file`` in as an upload."""
    heard: list[Event] = []
    result = run(IntakeConfig(file=file, **options), folder, on_event=heard.append)  # type: ignore[arg-type]
    codes = [event.code for event in heard if isinstance(event, Message)]
    return Taken(folder / result.file, result, codes)


def rewrite(file: Path, path: Path) -> Path:
    """Write the frames of ``file`` with its sound as a conversion does that changes nothing."""
    info = probe(file)
    with VideoWriter(path, info.width, info.height, info.fps, audio_from=file) as writer:
        for frame in read_frames(file, constant_rate=True):
            writer.write(frame.image)
    return path

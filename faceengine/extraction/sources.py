"""The inputs of an extraction, and their frames one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faceengine.errors import InputError
from faceengine.events import Message, OnEvent, ignore
from faceengine.extraction.folders import begins_as_photo, look_through
from faceengine.files import sha256, shown
from faceengine.geometry import Image
from faceengine.video import PHOTO_SUFFIXES, probe, read_frames, read_photo, remarks

STRETCH = 48
"""Frames that are looked at between two at which following begins anew."""


@dataclass(frozen=True)
class Source:
    """A video or a photo to extract from."""

    name: str
    """The path as it was given, or as the set has known it."""
    path: Path
    sha256: str
    video: bool
    frames: int
    """As the header promises; 1 for a photo."""


@dataclass(frozen=True)
class Shot:
    """One frame on its way, or the mark that its source has come to an end."""

    source: Source
    index: int = 0
    time: float = 0.0
    image: Image | None = None
    first: bool = False
    """The first one of its source or of a stretch of it: nothing that is made of it depends on frames before."""
    again: bool = False
    """It was taken in an earlier run, and is here only for what later frames of its stretch owe to it."""
    last: bool = False
    """No frame, but the end of the source."""
    turn: int = 0
    """Quarters counter-clockwise by which ``image`` was turned for its faces to be upright."""
    error: InputError | None = None
    """Why a photo could not be read."""


def find_sources(inputs: Sequence[Path], out: Path, on_event: OnEvent = ignore) -> list[Source]:
    """Every video and photo that ``inputs`` name, folders of photos spread out in the order of their names.

    Videos are probed, so that a bad one shows before anything is written; photos are read when their turn comes. What
    of a folder is passed over is told in one line (``extract.passed_over``), a file of it that can't be opened in one
    of its own (``extract.bad_photo``), and how a video is read otherwise than stored by ``video.…``. Raises
    :class:`InputError` ``extract.missing``, ``extract.empty_folder``, ``extract.same_folder``, and those of
    :func:`faceengine.video.probe`.
    """
    sources: list[Source] = []
    for path in inputs:
        if path.is_dir():
            sources += _photos_in(path, out, on_event)
        elif not path.exists():
            raise InputError("extract.missing", f"{path} is not there")
        elif _is_photo(path):
            sources.append(_photo(path))
        else:
            sources.append(Source(shown(path), path, sha256(path), True, probe(path).frames))
            for remark in remarks(path, sound=False):
                on_event(remark)
    return sources


def shots(sources: Sequence[Source], starts: dict[str, int], every: int) -> Iterator[Shot]:
    """Every ``every``-th frame of each source from its start on, and after each source a mark of its end.

    A face is followed from frame to frame within a stretch. So a run that goes on in the middle of one begins with the
    whole stretch again, and what it finds is what a run that was never interrupted finds.
    """
    for source in sources:
        yield from _video(source, starts[source.name], every) if source.video else _single(source)
        yield Shot(source, last=True)


def _video(source: Source, start: int, every: int) -> Iterator[Shot]:
    stretch = STRETCH * every
    for frame in read_frames(source.path, start=start - start % stretch, every=every):
        first, again = frame.index % stretch == 0, frame.index < start
        yield Shot(source, frame.index, frame.time, frame.image, first=first, again=again)


def _single(source: Source) -> Iterator[Shot]:
    try:
        yield Shot(source, image=read_photo(source.path), first=True)
    except InputError as error:
        yield Shot(source, error=error, first=True)


def _photos_in(folder: Path, out: Path, on_event: OnEvent) -> list[Source]:
    if out.resolve().is_relative_to(folder.resolve()):
        raise InputError("extract.same_folder", f"the faces can't go to {out}, inside the photos of {folder}")
    found = look_through(folder)
    if found.passed_over:
        on_event(Message("warning", "extract.passed_over", found.words))
    photos = []
    for path in found.photos:
        try:
            photos.append(_photo(path))
        except OSError as error:
            on_event(Message("warning", "extract.bad_photo", f"left out: {shown(path)} can't be opened: {error}"))
    if not photos:
        kinds = ", ".join(sorted(PHOTO_SUFFIXES))
        raise InputError("extract.empty_folder", f"{folder} holds no photo ({kinds})")
    return photos


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in PHOTO_SUFFIXES or begins_as_photo(path)


def _photo(path: Path) -> Source:
    return Source(shown(path), path, sha256(path), False, 1)

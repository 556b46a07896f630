"""The inputs of an extraction, and their frames one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faceengine.errors import InputError
from faceengine.files import sha256
from faceengine.geometry import Image
from faceengine.video import PHOTO_SUFFIXES, probe, read_frames, read_photo

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


def find_sources(inputs: Sequence[Path], out: Path) -> list[Source]:
    """Every video and photo that ``inputs`` name, folders of photos spread out in the order of their names.

    Videos are probed, so that a bad one shows before anything is written; photos are read when their turn comes.
    Raises :class:`InputError` ``extract.missing``, ``extract.empty_folder``, ``extract.same_folder``, and those of
    :func:`faceengine.video.probe`.
    """
    sources: list[Source] = []
    for path in inputs:
        if path.is_dir():
            sources += [_photo(photo) for photo in _photos_in(path, out)]
        elif not path.exists():
            raise InputError("extract.missing", f"{path} is not there")
        elif path.suffix.lower() in PHOTO_SUFFIXES:
            sources.append(_photo(path))
        else:
            sources.append(Source(str(path), path, "", True, probe(path).frames))
    return [_hashed(source) for source in sources]


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


def _photos_in(folder: Path, out: Path) -> list[Path]:
    if out.resolve().is_relative_to(folder.resolve()):
        raise InputError("extract.same_folder", f"the faces can't go to {out}, inside the photos of {folder}")
    photos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file())
    if not photos:
        kinds = ", ".join(sorted(PHOTO_SUFFIXES))
        raise InputError("extract.empty_folder", f"{folder} holds no photo ({kinds})")
    return photos


def _photo(path: Path) -> Source:
    return Source(str(path), path, "", False, 1)


def _hashed(source: Source) -> Source:
    return Source(source.name, source.path, sha256(source.path), source.video, source.frames)

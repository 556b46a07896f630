"""From videos and photos to a face set: every face found, aligned, masked and measured, nothing lost when interrupted.

Reading, finding, describing and writing run side by side; frames stream through and are forgotten. Crops of a stretch
of frames and the number of the next frame become durable together, so that an extraction that was stopped, or killed,
goes on where it was and takes no crop twice.
"""

from __future__ import annotations

import dataclasses
import math
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from faceengine.device import choose_device
from faceengine.embedding import Choice as EmbeddingChoice
from faceengine.embedding import Embedder, make_embedder
from faceengine.errors import InputError
from faceengine.events import Checkpoint, Message, OnEvent, Progress, ShouldStop, ignore, never
from faceengine.extraction import coverage, people
from faceengine.extraction.config import ExtractConfig
from faceengine.extraction.describe import Described, Describer
from faceengine.extraction.finder import NAME as DETECTOR
from faceengine.extraction.finder import Face, FaceFinder
from faceengine.extraction.landmarks import Choice as LandmarkChoice
from faceengine.extraction.landmarks import Landmarker, make_landmarker
from faceengine.extraction.sources import Shot, Source, find_sources, shots
from faceengine.extraction.summary import measure_together, summary
from faceengine.extraction.turning import TurningFinder
from faceengine.faceset import FaceSet
from faceengine.files import disk_full, is_disk_full, only_process
from faceengine.pipeline import Stage, batches, stages

_CHUNK_CROPS, _CHUNK_FRAMES = 32, 200
_CHECKPOINT_SECONDS = 10.0
_BATCH_FRAMES = 16


@dataclass(frozen=True)
class ExtractResult:
    """What came of an extraction. The numbers count everything in the set, earlier runs included."""

    stopped: bool
    frames_read: int
    frames_with_face: int
    crops: int


def run(
    config: ExtractConfig, run_dir: Path, *, on_event: OnEvent = ignore, should_stop: ShouldStop = never
) -> ExtractResult:
    """Extract the faces of ``config.inputs`` into the face set in ``run_dir``, new or begun earlier.

    Inputs are known by name and SHA-256: one that is done is not read again, one that was interrupted goes on. Verdicts
    stay. Sends ``Progress`` (stages ``extract`` and ``measure``), ``Checkpoint`` (its iteration is the number of frames
    read), and ``Message`` (``landmarks.dlib``, ``embedding.dlib``, ``extract.bad_photo``,
    ``extract.passed_over``, ``extract.input_without_face``, ``video.truncated``, ``extract.few``, ``extract.some``,
    ``extract.at_edge``, ``extract.two_people``, and those of :func:`faceengine.video.remarks`).

    Raises :class:`InputError`: ``extract.no_face``, ``extract.empty_folder``, ``extract.settings`` (the set was begun
    with others), ``extract.changed`` (another file under a known name), ``extract.same_folder``, ``folder.busy``,
    ``disk.full``, and the errors of :mod:`faceengine.video`. When nothing was extracted, nothing stays behind.
    """
    sources = find_sources(config.inputs, run_dir, on_event)
    with only_process(run_dir):
        begun = (run_dir / "faces.sqlite").exists()
        try:
            with FaceSet.create(run_dir) as faces, _one_thread_each():
                return _Extraction(config, faces, sources, on_event, should_stop).run()
        except InputError:
            if not begun:
                _remove_empty(run_dir)
            raise


@dataclass
class _Count:
    """How far an input is: the columns of its row."""

    next_frame: int = 0
    frames_read: int = 0
    frames_with_face: int = 0
    done: bool = False


@dataclass
class _Extraction:
    """One run over one set."""

    config: ExtractConfig
    faces: FaceSet
    sources: list[Source]
    on_event: OnEvent
    should_stop: ShouldStop
    _pending: list[Described] = field(default_factory=list)
    _frames: int = 0
    _said: float = 0.0
    _kept: float = field(default_factory=time.monotonic)

    def run(self) -> ExtractResult:
        self._started = datetime.now(UTC)
        self._make_networks()
        self._take_up()
        todo = [source for source in self.sources if not self._counts[source.name].done]
        if todo:
            (self.faces.folder / "faces.json").unlink(missing_ok=True)
        stopped = self._extract(todo)
        if not stopped:
            self._finish()
        rows = self.faces.inputs().values()
        read, with_face = (sum(row[key] for row in rows) for key in ("frames_read", "frames_with_face"))
        return ExtractResult(stopped, read, with_face, len(self.faces))

    # -- before --------------------------------------------------------------------------------------------------

    def _make_networks(self) -> None:
        """The networks: those asked for, else those that the set was begun with, else the best that are here."""
        config, begun = self.config, self.faces.settings
        device = str(choose_device(config.device))
        landmarks, embedding = config.landmarks, config.embedding
        if landmarks == "auto" and "landmarks" in begun:
            landmarks = {"dlib68": "dlib"}.get(begun["landmarks"], begun["landmarks"])
        if embedding == "auto":
            embedding = begun.get("embedding", "auto")
        finder = FaceFinder(min_face=config.min_face, device=device, redo_every=config.redo_every)
        self._finder = TurningFinder(finder)
        self._landmarker: Landmarker = make_landmarker(
            cast(LandmarkChoice, landmarks), device=device, on_event=self.on_event
        )
        self._embedder: Embedder = make_embedder(
            cast(EmbeddingChoice, embedding), device=device, precision="auto", on_event=self.on_event
        )
        self._describer = Describer(self._landmarker, self._embedder, config.size)

    def _take_up(self) -> None:
        """Check that the set was begun with the same settings and files, and find out how far it is."""
        settings = {
            "every": self.config.every,
            "size": self.config.size,
            "min_face": self.config.min_face,
            "detector": DETECTOR,
            "landmarks": self._landmarker.name,
            "embedding": self._embedder.name,
        }
        begun, folder = self.faces.settings, self.faces.folder
        for name, value in settings.items():
            if begun.get(name, value) != value:
                text = f"{folder} was begun with {name} {begun[name]}, not {value}: take that, or another folder"
                raise InputError("extract.settings", text)
        self.faces.set_settings(settings)
        known = self.faces.inputs()
        names = {row["sha256"]: name for name, row in known.items()}
        for source in self.sources:
            if source.name in known and known[source.name]["sha256"] != source.sha256:
                text = f"{source.name} is not the file that {folder} was extracted from: take another folder"
                raise InputError("extract.changed", text)
        # A file that moved is the same input still, and a copy of one that is there adds nothing.
        renamed = [dataclasses.replace(item, name=names.setdefault(item.sha256, item.name)) for item in self.sources]
        self.sources = list({source.name: source for source in renamed}.values())
        self._counts = {source.name: _Count() for source in self.sources}
        for name in self._counts.keys() & known.keys():
            row = known[name]
            self._counts[name] = _Count(
                row["next_frame"], row["frames_read"], row["frames_with_face"], bool(row["done"])
            )

    # -- the way of a frame --------------------------------------------------------------------------------------

    def _extract(self, todo: list[Source]) -> bool:
        """Run all that is to do through the stages; whether it was stopped."""
        starts = {source.name: self._counts[source.name].next_frame for source in todo}
        read = Stage(shots(todo, starts, self.config.every))
        found = Stage(map(self._find, read))
        marked = Stage(map(self._mark, found))
        described = Stage(map(self._describe, marked), _BATCH_FRAMES)
        embedded = Stage(self._embed(described), _BATCH_FRAMES)
        self._clock = time.monotonic()
        self._total = sum(math.ceil(source.frames / self.config.every) for source in self.sources)
        self._before = sum(count.frames_read for count in self._counts.values())
        bad: list[InputError] = []
        with stages(read, found, marked, described, embedded):
            for shot, faces in embedded:
                self._take(shot, faces, bad)
                if self.should_stop():
                    self._write()
                    return True
        self._write()
        self._report(last=True)
        if bad and not any(count.frames_read for count in self._counts.values()):
            raise bad[0]
        return False

    def _find(self, shot: Shot) -> tuple[Shot, list[Face]]:
        if shot.first:
            self._finder.reset()
        if shot.image is None:
            return shot, []
        image, faces, turn = self._finder(shot.image)
        return dataclasses.replace(shot, image=image, turn=turn), faces

    def _mark(self, found: tuple[Shot, list[Face]]) -> tuple[Shot, list[Face], NDArray[np.float64]]:
        return *found, self._describer.mark(*found)

    def _describe(self, marked: tuple[Shot, list[Face], NDArray[np.float64]]) -> tuple[Shot, list[Described]]:
        # The picture is done with after that; a waiting list of frames would fill the memory.
        return dataclasses.replace(marked[0], image=None), self._describer.describe(*marked)

    def _embed(self, described: Iterable[tuple[Shot, list[Described]]]) -> Iterator[tuple[Shot, list[Described]]]:
        """Fill in who it is."""
        # The arithmetic of a batch depends on its size: a stretch begins with a batch of its own, however it was
        # reached.
        for frames in batches(described, _BATCH_FRAMES, lambda item: item[0].first and item[0].source.video):
            vectors = iter(self._embedder.batch([face.chip for _, faces in frames for face in faces]))
            for shot, faces in frames:
                yield shot, [_with_embedding(face, next(vectors)) for face in faces]

    def _take(self, shot: Shot, faces: list[Described], bad: list[InputError]) -> None:
        """Count a frame, keep its faces, write when enough have come together."""
        if shot.again:
            return
        count = self._counts[shot.source.name]
        if shot.error is not None:
            bad.append(shot.error)
            self.on_event(Message("warning", "extract.bad_photo", f"left out: {shot.error}"))
        if shot.last:
            count.done = True
            self._check_end(shot.source, count)
        elif shot.error is None:
            count.frames_read += 1
            count.frames_with_face += bool(faces)
            count.next_frame = shot.index + self.config.every
            self._frames += 1
            self._pending += faces
        if len(self._pending) >= _CHUNK_CROPS or self._frames >= _CHUNK_FRAMES:
            self._write()
        self._report()

    def _check_end(self, source: Source, count: _Count) -> None:
        if source.video and count.next_frame < source.frames:
            seen = max(0, count.next_frame - self.config.every + 1)
            text = f"{source.name} is cut off: {seen} of its {source.frames} frames are whole, and those were taken"
            self.on_event(Message("warning", "video.truncated", text))
        if count.frames_read and not count.frames_with_face:
            text = f"no face was found in {source.name}"
            self.on_event(Message("warning", "extract.input_without_face", text))

    def _write(self) -> None:
        """Make what is pending durable, with how far each input is."""
        with _disk_errors(self.faces.folder), self.faces.transaction():
            for source in self.sources:
                columns = dataclasses.asdict(self._counts[source.name])
                self.faces.set_input(source.name, sha256=source.sha256, **columns)
            for face in self._pending:
                self.faces.add(face.crop, face.image, face.masks)
        self._pending, self._frames = [], 0
        self._tell_checkpoint()

    def _tell_checkpoint(self) -> None:
        """Say now and then that what there is survives: whoever copies the set elsewhere need not copy it often."""
        now = time.monotonic()
        if now - self._kept >= _CHECKPOINT_SECONDS:
            self._kept = now
            frames = sum(count.frames_read for count in self._counts.values())
            self.on_event(Checkpoint(frames, "faces.sqlite"))

    def _report(self, last: bool = False) -> None:
        now = time.monotonic()
        if last or now - self._said >= 0.2:
            self._said = now
            done = sum(count.frames_read for count in self._counts.values())
            rate = (done - self._before) / max(now - self._clock, 1e-6)
            self.on_event(Progress("extract", done, max(done, self._total), "frames", rate))

    # -- after ---------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """What only the whole set tells: medoid, near duplicates, coverage, summary."""
        crops = self.faces.crops()
        if not crops:
            names = ", ".join(source.name for source in self.sources)
            raise InputError("extract.no_face", f"no face was found in {names}")
        self.on_event(Progress("measure", 0, len(crops), "crops"))
        with _disk_errors(self.faces.folder):
            groups = measure_together(self.faces, crops)
        self.on_event(Progress("measure", len(crops), len(crops), "crops"))
        at_edge, shown = self.faces.at_edge(), people.people(crops)
        advice = coverage.advice(len(crops) - at_edge) + coverage.edge_advice(at_edge) + people.advice(shown)
        for code, text in advice:
            self.on_event(Message("warning", code, text))
        with _disk_errors(self.faces.folder):
            self.faces.write_summary(summary(self.faces, crops, groups, shown, advice, self._started))


def _with_embedding(face: Described, embedding: NDArray[np.float64]) -> Described:
    return dataclasses.replace(face, crop=dataclasses.replace(face.crop, embedding=embedding))


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """A full disk, said so that a person understands it."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if is_disk_full(error):
            raise disk_full(folder) from error
        raise


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Every stage computes in its own thread alone: for nets this small, sharing one among cores costs more."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def _remove_empty(folder: Path) -> None:
    """Take away what a failed extraction made, unless it has crops."""
    with FaceSet.open(folder) as faces:
        if len(faces):
            return
    for name in ("faces.sqlite", "faces.sqlite-wal", "faces.sqlite-shm", ".lock"):
        (folder / name).unlink(missing_ok=True)
    for name in ("crops", "masks"):
        shutil.rmtree(folder / name)
    if not any(folder.iterdir()):
        folder.rmdir()

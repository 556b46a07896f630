"""Judge a converted video by numbers: ``docs/score.md`` defines each one."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from faceengine.device import choose_device
from faceengine.embedding import Choice, make_embedder
from faceengine.errors import InputError
from faceengine.evaluation.config import ScoreConfig
from faceengine.evaluation.identity import Reference, load_reference
from faceengine.evaluation.measure import FrameMeasures, Judge, Measurer
from faceengine.evaluation.report import Person, Scored, build_report
from faceengine.events import Message, OnEvent, Progress, ShouldStop, ignore, never
from faceengine.extraction.landmarks import Choice as Landmarks
from faceengine.extraction.landmarks import make_landmarker
from faceengine.files import replace_file
from faceengine.geometry import Image
from faceengine.pictures import save_picture
from faceengine.training import checkpoints
from faceengine.video import Frame, VideoInfo, probe, read_frames

FRAMES = "frames"
"""Folder of pictures."""
WIDEST = 960
"""Pixels from side to side of one."""
_STAGE = "score"


@dataclass(frozen=True)
class ScoreResult:
    """What a score came to; ``report`` is ``None`` when it was stopped."""

    stopped: bool
    report: Path | None = None
    similarity: float | None = None
    floor: float | None = None
    ceiling: float | None = None


def run(
    config: ScoreConfig, run_dir: Path, *, on_event: OnEvent = ignore, should_stop: ShouldStop = never
) -> ScoreResult:
    """Score ``config.result`` and write the report to ``run_dir / config.name``.

    Raises :class:`InputError` for videos or sets that can't be used, ``score.size`` for frames of different size (a
    result in a side-by-side layout), ``score.no_face`` when no frame has a face.
    """
    device = str(choose_device(config.device))
    judges = _judges(config, device, on_event)
    people = [_person(config, judge, on_event) for judge in judges]
    measurer = Measurer(
        make_landmarker(cast(Landmarks, config.landmarks), device=device, on_event=on_event), judges, device
    )
    measured = _measure(config, measurer, on_event, should_stop)
    if measured is None:
        return ScoreResult(stopped=True)
    frames, measures = measured
    if not measures:
        raise InputError("score.no_face", f"no face was found in {config.result}")
    report = build_report(
        Scored(config, frames, judges, people, measures, independent(config, judges[0].embedder.name))
    )
    run_dir.mkdir(parents=True, exist_ok=True)
    if config.pictures:
        report["pictures"] = _keep_pictures(config, run_dir, {*report["best"], *report["worst"]})
    path = run_dir / config.name
    replace_file(path, json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False).encode())
    return ScoreResult(False, path, report["similarity"], report["floor"], report["ceiling"])


# -- what is asked, and of whom ------------------------------------------------------------------------------------


def _judges(config: ScoreConfig, device: str, on_event: OnEvent) -> list[Judge]:
    """The network asked for; a second one beside it if the first also served as perceptual loss, or may have."""
    first = make_embedder(cast(Choice, config.embedding), device=device, on_event=on_event)
    if independent(config, first.name):
        return [Judge(first)]
    on_event(
        Message("info", "score.second", f"{first.name} may have trained the model: dlib-resnet gives a second score")
    )
    return [Judge(first), Judge(make_embedder("dlib-resnet", device=device))]


def independent(config: ScoreConfig, network: str) -> bool | None:
    """Whether ``network`` had no part in training the model; ``None`` when it may have and no run is given."""
    if config.run is not None:
        return checkpoints.read_header(checkpoints.newest(config.run)).perceptual != network
    # dlib's network never serves as perceptual loss.
    return True if network == "dlib-resnet" else None


def _person(config: ScoreConfig, judge: Judge, on_event: OnEvent) -> Person:
    def load(folder: Path | None) -> Reference | None:
        if folder is None:
            return None
        on_event(Progress(_STAGE, 0, None, f"faces of {folder.name}"))
        return load_reference(folder, judge.embedder)

    wanted = load(config.wanted)
    assert wanted is not None
    return Person(wanted, load(config.original if _is_set(config.original) else None), load(config.strangers))


def _is_set(path: Path) -> bool:
    return path.is_dir()


# -- frame by frame ------------------------------------------------------------------------------------------------


def _measure(
    config: ScoreConfig, measurer: Measurer, on_event: OnEvent, should_stop: ShouldStop
) -> tuple[int, list[FrameMeasures]] | None:
    """How many frames were looked at, and the measures of those that have or had a face; ``None`` when stopped."""
    total = -(-probe(config.result).frames // config.every)
    measures: list[FrameMeasures] = []
    started = shown = time.monotonic()
    done = 0
    with closing(_frames(config)) as frames:
        for done, (frame, original, truth) in enumerate(frames, 1):
            if should_stop():
                return None
            found = measurer(frame, original, truth)
            if found is not None:
                measures.append(found)
            if (now := time.monotonic()) - shown >= 0.2:
                shown = now
                on_event(Progress(_STAGE, done, total, rate=done / (now - started)))
    on_event(Progress(_STAGE, done, done, rate=done / max(time.monotonic() - started, 1e-6)))
    return done, measures


def _frames(config: ScoreConfig) -> Generator[tuple[Frame, Image | None, Image | None], None, None]:
    """The result's frames, each with the same moment before the swap and swapped perfectly, where videos are given.

    It ends with the shortest of them.
    """
    result = read_frames(config.result, every=config.every)
    original = _beside(None if _is_set(config.original) else config.original, config)
    truth = _beside(config.truth, config)
    for frame, before, perfect in zip(result, original, truth, strict=False):
        for path, image in ((config.original, before), (config.truth, perfect)):
            if image is not None and image.shape != frame.image.shape:
                sizes = f"{frame.image.shape[1]}×{frame.image.shape[0]}, not {image.shape[1]}×{image.shape[0]}"
                raise InputError(
                    "score.size", f"{config.result} has frames of {sizes} as {path}: score the plain result"
                )
        yield frame, before, perfect


def _beside(path: Path | None, config: ScoreConfig) -> Iterator[Image | None]:
    if path is None:
        return itertools.repeat(None)
    frames = _footage(path, probe(path), config.start, config.every)
    return (frame.image for frame in frames)


def _footage(path: Path, info: VideoInfo, start: int, every: int = 1) -> Iterator[Frame]:
    # A conversion gives a video of variable rate a constant one; only so do frame numbers agree.
    return read_frames(path, start=start, every=every, constant_rate=info.variable_rate, fps=info.fps)


def _keep_pictures(config: ScoreConfig, run_dir: Path, numbers: set[int]) -> dict[str, str]:
    """Name, by number, of a picture of each of these frames of the result, its original left of it if there is one."""
    (run_dir / FRAMES).mkdir(exist_ok=True)
    info = None if _is_set(config.original) else probe(config.original)
    names = {}
    for number in sorted(numbers):
        pictures = [next(read_frames(config.result, start=number)).image]
        if info is not None:
            pictures.insert(0, next(_footage(config.original, info, config.start + number)).image)
        names[str(number)] = f"{FRAMES}/{number:06d}.jpg"
        save_picture(run_dir / names[str(number)], np.concatenate(pictures, axis=1), widest=WIDEST)
    return names

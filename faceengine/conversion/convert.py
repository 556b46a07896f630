"""Convert a video: every frame through the frame swapper, its sound beside it, in memory that doesn't grow."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, takewhile
from pathlib import Path

import numpy as np

from faceengine.conversion.chunks import Chunk, chunks
from faceengine.conversion.claim import only_writer
from faceengine.conversion.config import ConvertConfig, ConvertResult
from faceengine.conversion.frame_swapper import FrameSwapper, Prepared, Seen, Swap
from faceengine.conversion.labelling import COLUMNS, label_of, placed
from faceengine.conversion.live_frames import LiveFrames
from faceengine.conversion.loading import load_frame_swapper
from faceengine.conversion.verification import Verification
from faceengine.device import sharing_processors
from faceengine.errors import InputError
from faceengine.events import Message, OnEvent, Progress, ShouldStop, ignore, never
from faceengine.files import sha256
from faceengine.geometry import Image
from faceengine.pipeline import ahead
from faceengine.provenance.aigc import KEY
from faceengine.provenance.free_corner import FreeLabel
from faceengine.provenance.marks import Marks, forget_unsigned, unsigned_name
from faceengine.reference import References
from faceengine.training import checkpoints
from faceengine.video import Frame, VideoInfo, VideoWriter, probe, read_frames, remarks

READ_AHEAD = 4
"""Frames that are decoded, and frames that are prepared, before their turn."""
REPORT_EVERY = 0.25
"""Seconds between two reports of progress."""


class _Stopped(Exception):  # noqa: N818 - not an error
    """Somebody asked to stop."""


@dataclass
class _Tally:
    """What a conversion has seen so far."""

    frames: int = 0
    swapped: int = 0
    faces: int = 0
    nearest: float = float("inf")
    verification: Verification = field(default_factory=Verification)

    def add(self, swap: Swap) -> None:
        self.verification.add(swap.faces)
        self.frames += 1
        self.swapped += swap.swapped
        self.faces += len(swap.faces)
        self.nearest = min([self.nearest, *(seen.distance for seen in swap.faces)])


def run(
    config: ConvertConfig,
    run_dir: Path,
    *,
    on_event: OnEvent = ignore,
    should_stop: ShouldStop = never,
    references: References | None = None,
) -> ConvertResult:
    """Convert ``config.video`` into ``run_dir / config.name``, which appears when it is whole.

    A converted part of a video (``start``, ``end``) has no sound: whoever joins the parts adds it. Its frames are
    those that converting the whole video gives at their place (``chunks.py`` tells how). Raises
    :class:`InputError` for a video or model that can't be used, a full disk (``disk.full``), a result that another
    process is writing (``output.busy``) or that is the video itself (``convert.same_file``), and if the person is in
    no frame of the whole video (``convert.no_person``): then nothing is written. Nor is there anything under the
    result's name until it carries all its marks: without somebody who can sign it begins with ``sign.…``.

    ``references``, or those that a studio gave this process, are the people who agreed. Then nobody else is replaced,
    whatever ``config`` says: ``convert.other_person`` if that leaves nobody in a whole video, ``convert.other_model``
    if the model is of other people, ``convert.unverified`` if the finished frames are in doubt.
    """
    references = references or References.here()
    info = probe(config.video)
    path = run_dir / config.name
    if path.exists() and path.samefile(config.video):
        raise InputError("convert.same_file", f"the result would overwrite the video it is made from: {path}")
    run_dir.mkdir(parents=True, exist_ok=True)
    # A run in training replaces its newest checkpoint; what is told of it must be of the one that is used.
    config = dataclasses.replace(config, model=checkpoints.newest(config.model))
    marks = Marks.here() if config.marks == "all" else None
    tally, signed_by = _Tally(), ""
    made = unsigned_name(path) if marks else path
    with only_writer(path):
        for remark in remarks(config.video, sound=config.whole) if config.start == 0 else ():
            on_event(remark)
        model = sha256(config.model)
        swapper = load_frame_swapper(config, on_event, references)
        began = time.monotonic()
        try:
            _convert(config, info, made, marks, swapper, tally, on_event, should_stop)
            if marks is not None:
                signed_by = marks.sign(made, path, models=(model,), source=config.video, on_event=on_event)
        except _Stopped:
            return ConvertResult(path, tally.frames, tally.swapped, 0.0, stopped=True)
        finally:
            forget_unsigned(path)
    if tally.swapped == 0 or tally.verification.refused:
        on_event(Message("warning", *(_nobody(config, tally) if tally.swapped == 0 else _refused(tally))))
    return ConvertResult(
        path,
        tally.frames,
        tally.swapped,
        fps=tally.frames / (time.monotonic() - began),
        stopped=False,
        model=model,
        signed_by=signed_by,
        checked=references.digest if references is not None else "",
        refused=tally.verification.refused,
        nearest=tally.verification.nearest,
    )


def _convert(
    config: ConvertConfig,
    info: VideoInfo,
    path: Path,
    marks: Marks | None,
    swapper: FrameSwapper,
    tally: _Tally,
    on_event: OnEvent,
    should_stop: ShouldStop,
) -> None:
    sound = config.video if config.whole else None
    width = info.width * COLUMNS[config.layout]
    label = label_of(config, info)
    tag = (KEY, marks.aigc) if marks else None
    report = _Report(config.length(info.steady_frames), on_event)
    show = LiveFrames(path.parent, config.start, info.steady_frames, config.pictures, on_event)
    with (
        sharing_processors(),
        VideoWriter(path, width, info.height, info.fps, audio_from=sound, crf=config.crf, tag=tag) as writer,
        closing(swaps(config, info.fps, swapper, label)) as found,
    ):
        for swap in found:
            if should_stop():
                raise _Stopped
            frame = arrange(swap, config.layout, label)
            writer.write(frame)
            show(tally.frames, frame)
            tally.add(swap)
            report(tally.frames)
        if tally.frames == 0:
            raise InputError("convert.range", f"{config.video} has no frame {config.start}")
        if tally.swapped == 0 and config.whole:
            raise InputError(*_nobody(config, tally))
        if swapper.thresholds is not None:
            tally.verification.require(swapper.thresholds)
    expected = config.length(info.steady_frames)
    if tally.frames < expected:
        text = f"{config.video} ends early: {tally.frames} of {expected} frames are whole, and those were converted"
        on_event(Message("warning", "video.truncated", text))
    report(tally.frames, last=True)


def swaps(config: ConvertConfig, fps: Fraction, swapper: FrameSwapper, label: FreeLabel) -> Generator[Swap, None, None]:
    """Every frame, chunk by chunk, until the video or the asked-for part of it ends.

    Whoever reads them must close them.
    """
    for chunk in chunks(config.start, config.end, fps):
        number = 0
        with ahead(_prepared(config.video, fps, chunk, swapper, label), READ_AHEAD) as prepared:
            for swap in _together(swapper, prepared, config.batch):
                yield swap
                number += 1
        if number < chunk.end - chunk.start:
            return


def _prepared(video: Path, fps: Fraction, chunk: Chunk, swapper: FrameSwapper, label: FreeLabel) -> Iterator[Prepared]:
    """Prepare a chunk's frames, once the swapper knows what it may of the ones before them."""
    for start in chunk.warm_ups:
        with ahead(_frames(video, fps, start, chunk.end), READ_AHEAD) as frames:
            swapper.forget()
            prepared = swapper.prepare_all((frame.image, frame.time) for frame in frames)
            prepared = placed(prepared, label, chunk.start - start)
            if _warm_up(prepared, chunk.start - start) or start == chunk.warm_ups[-1]:
                yield from prepared
                return


def _warm_up(prepared: Iterator[Prepared], number: int) -> bool:
    """Pass over the first frames; whether a swapper that has forgotten all others then knows somebody, or there is
    nobody."""
    faces: tuple[Seen, ...] = ()
    for frame in islice(prepared, number):
        faces = frame.faces
    return not faces or any(seen.verdict == "same" for seen in faces)


def _frames(video: Path, fps: Fraction, start: int, end: int) -> Iterator[Frame]:
    frames = read_frames(video, start=start, constant_rate=True, fps=fps)
    return takewhile(lambda frame: frame.index < end, frames)


def _together(swapper: FrameSwapper, frames: Iterable[Prepared], batch: int) -> Iterator[Swap]:
    """Gather frames until they hold ``batch`` crops, or are as many themselves, and run them together."""
    waiting: list[Prepared] = []
    for frame in frames:
        waiting.append(frame)
        if len(waiting) >= batch or sum(len(one.targets) for one in waiting) >= batch:
            yield from swapper.run(waiting)
            waiting = []
    yield from swapper.run(waiting)


def arrange(swap: Swap, layout: str, label: FreeLabel) -> Image:
    """``result``: the new frame; ``pair``: the old one left of it; ``triple``: and the mask, in grey, to the right.

    The new one has the label, so that it can't be cut out without it.
    """
    result = label.drawn(swap.result, swap.spot, in_place=swap.result is not swap.image)
    if layout == "result":
        return result
    pictures = [swap.image, result]
    if layout == "triple":
        pictures.append(np.repeat(swap.mask[..., None], 3, axis=2))
    return np.concatenate(pictures, axis=1)


def _nobody(config: ConvertConfig, tally: _Tally) -> tuple[str, str]:
    """Code and sentence for a video in which nobody was replaced."""
    if tally.verification.refused:
        return _refused(tally)
    if tally.faces == 0:
        return "convert.no_person", f"{config.video} shows no face, so nobody could be replaced"
    return (
        "convert.no_person",
        f"no face in {config.video} is the person to be replaced: {tally.faces} faces in {tally.frames} frames, "
        f"the most similar one at a distance of {tally.nearest:.2f}",
    )


def _refused(tally: _Tally) -> tuple[str, str]:
    """Code and sentence for faces that only seem to be the person."""
    found = tally.verification
    return (
        "convert.other_person",
        f"in {found.refused} of {tally.frames} frames a face is not the person in the recording of the consent and was "
        f"left as it is; the nearest face of the video is at a distance of {found.nearest or 0:.2f} from it",
    )


class _Report:
    """Progress, a few times a second."""

    def __init__(self, total: int, on_event: OnEvent) -> None:
        self._total = total
        self._on_event = on_event
        self._began = self._last = time.monotonic()

    def __call__(self, done: int, *, last: bool = False) -> None:
        now = time.monotonic()
        if last or now - self._last >= REPORT_EVERY:
            self._last = now
            total = done if last else max(self._total, done)
            self._on_event(Progress("convert", done, total, rate=done / max(now - self._began, 1e-9)))

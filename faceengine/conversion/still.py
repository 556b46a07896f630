"""One frame of a conversion as a picture, in seconds: what a choice of settings will look like, before the long run."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from pathlib import Path

from faceengine.config import Config
from faceengine.conversion.config import ConvertConfig
from faceengine.conversion.convert import arrange, swaps
from faceengine.conversion.labelling import label_of
from faceengine.conversion.loading import load_frame_swapper
from faceengine.conversion.look_ahead import MOST_FRAMES
from faceengine.device import sharing_processors
from faceengine.errors import InputError
from faceengine.events import Message, OnEvent, Preview, Progress, ShouldStop, ignore, never
from faceengine.pictures import save_picture
from faceengine.reference import References
from faceengine.training import checkpoints
from faceengine.video import probe

NAME = "still.jpg"
_AHEAD = 2 * MOST_FRAMES
"""Frames after it that may be looked at: as many as a conversion knows of when it settles on a frame."""


@dataclasses.dataclass(frozen=True)
class StillResult(Config):
    """What became of a still. Stopped on request there is no picture."""

    path: Path
    swapped: bool
    """Whether the person was found and replaced."""
    stopped: bool


def run(
    config: ConvertConfig,
    run_dir: Path,
    *,
    on_event: OnEvent = ignore,
    should_stop: ShouldStop = never,
    references: References | None = None,
) -> StillResult:
    """Convert frame ``config.start`` alone and keep it as ``run_dir / NAME``, labelled, in ``config.layout``.

    It is looked at with the frames just before and after it, as a conversion that began there would: a face that is
    turned away in this one frame is known from them, and the label is where that conversion has it. Raises
    :class:`InputError` for a video or model that can't be used, and ``convert.range`` for a frame that the video does
    not have. A frame without the person is shown as it is, with a warning. ``references`` are as in
    :func:`faceengine.conversion.convert.run`.
    """
    info = probe(config.video)
    # As few as one crop go through the model at once: only this frame is drawn.
    end, model = config.start + 1 + _AHEAD, checkpoints.newest(config.model)
    config = dataclasses.replace(config, end=end, model=model, batch=1)
    run_dir.mkdir(parents=True, exist_ok=True)
    path = run_dir / NAME
    on_event(Progress("load", 0, 1))
    swapper = load_frame_swapper(config, on_event, references or References.here())
    if should_stop():
        return StillResult(path, swapped=False, stopped=True)
    label = label_of(config, info)
    with sharing_processors(), closing(swaps(config, info.fps, swapper, label)) as found:
        swap = next(found, None)
    if swap is None:
        raise InputError("convert.range", f"{config.video} has no frame {config.start}")
    save_picture(path, arrange(swap, config.layout, label))
    on_event(Preview(config.start, NAME))
    on_event(Progress("convert", 1, 1))
    if not swap.swapped:
        code, text = "convert.no_person", "the person to be replaced was not seen"
        if any(seen.refused for seen in swap.faces):
            code, text = "convert.other_person", "nobody is the person in the recording of the consent"
        on_event(Message("warning", code, f"{text} in frame {config.start} of {config.video}"))
    return StillResult(path, swapped=swap.swapped, stopped=False)

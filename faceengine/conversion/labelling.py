"""The visible label in a conversion: how large it is, where it goes, and that it stays there for a whole shot."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from faceengine.conversion.config import ConvertConfig
from faceengine.conversion.frame_swapper import Prepared
from faceengine.provenance.free_corner import Boxes, FreeLabel, Spot
from faceengine.video import VideoInfo

COLUMNS = {"result": 1, "pair": 2, "triple": 3}
"""Pictures beside each other in a layout."""


def label_of(config: ConvertConfig, info: VideoInfo) -> FreeLabel:
    """Return the label for the new frame, with letters that are high enough for the layout that it becomes part of."""
    width = info.width * COLUMNS[config.layout]
    return FreeLabel(config.label, config.label_place, info.height, info.width, shortest=min(info.height, width))


def placed(prepared: Iterator[Prepared], label: FreeLabel, lead_in: int) -> Iterator[Prepared]:
    """Settle for the frames of a chunk where the label goes, anew at the chunk's first frame and at each cut.

    The first ``lead_in`` frames are those before the chunk, from which its state is learnt. The faces in them count
    for the chunk's first shot, and so do those of about a second after its first frame: nothing else is looked at, so
    that a part of a video has its label where the whole has it.
    """
    before: list[Boxes] = []
    spot: Spot | None = None
    for number, frame in enumerate(prepared):
        if frame.starts_shot:
            before, spot = [], None
        if number < lead_in:
            before += [seen.face.box for seen in frame.faces]
        elif spot is None:
            spot = label.spot([*before, *(face.box for face in frame.coming)])
        yield dataclasses.replace(frame, spot=spot)

"""Filters of FFmpeg that make a picture what it should look like: for the engine's reader and for ffmpeg alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av.error
import av.filter
import av.video.frame
from av.sidedata.sidedata import SideDataContainer

from faceengine.errors import InputError
from faceengine.video.gamut import is_plain, table_file

Filter = tuple[str, dict[str, str]]
"""A filter's name and options."""

DEINTERLACE: Filter = ("bwdif", {"mode": "send_frame", "deint": "interlaced"})
"""One picture for each stored one; those that are not marked as interlaced pass through."""

_MATRICES = {1: "bt709", 4: "fcc", 5: "smpte170m", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
_UNTAGGED, _FULL_RANGE = 2, 2
_IPT = 15
_DOLBY = ("DOVI_METADATA", "DOVI_RPU_BUFFER", "DOVI_RPU_BUFFER_T35")


@dataclass(frozen=True)
class Look:
    """How a picture's numbers are meant: ITU-T H.273's for colours."""

    space: int
    primaries: int
    transfer: int
    full_range: bool
    alpha: bool
    height: int

    @property
    def is_plain(self) -> bool:
        """Whether it is opaque and has the colours of BT.709."""
        return not self.alpha and is_plain(self.primaries, self.transfer)

    @property
    def table(self) -> Path | None:
        """The table that makes its colours those of BT.709; ``None`` if they are."""
        plain = is_plain(self.primaries, self.transfer)
        return None if plain else table_file(self.primaries, self.transfer)

    @property
    def matrix(self) -> str:
        """The name of its matrix for FFmpeg's ``scale``."""
        # swscale takes every untagged picture for BT.601; players go by the height.
        untagged = "bt709" if self.height >= 720 else "smpte170m"
        return untagged if self.space == _UNTAGGED else _MATRICES.get(self.space, "auto")


def look_of(frame: av.video.frame.VideoFrame) -> Look:
    """How ``frame`` is meant. Raises :class:`InputError` ``video.dolby_vision`` if only such a screen can tell."""
    space, primaries, transfer = int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc)
    if space == _IPT or (transfer == _UNTAGGED and _is_dolby(frame)):
        raise InputError(
            "video.dolby_vision", "its colours are Dolby Vision's own (profile 5): export it as HDR10, HLG or SDR"
        )
    full = int(frame.color_range) == _FULL_RANGE or frame.format.name.startswith("yuvj")
    return Look(space, primaries, transfer, full, _has_alpha(frame), frame.height)


def side_data(frame: av.video.frame.VideoFrame) -> SideDataContainer:
    """Return what is stored beside a frame's picture.

    ``frame.side_data`` would be kept in the frame and refer back to it. Decoders could not use such a frame's memory
    again before Python's garbage collection: a video of 720p grew by 350 MB, and each frame cost a fresh megabyte.
    """
    return SideDataContainer(frame)


def _is_dolby(frame: av.video.frame.VideoFrame) -> bool:
    beside = side_data(frame)
    return any(beside.get(name) for name in _DOLBY)


def _has_alpha(frame: av.video.frame.VideoFrame) -> bool:
    name = frame.format.name
    return name.startswith(("yuva", "gbrap", "rgba", "bgra", "argb", "abgr", "ya"))


def colour_filters(look: Look, table: Path | None = None) -> list[Filter]:
    """Filters that give opaque RGB of BT.709: what alpha erases is black, as players show it.

    Nothing for a picture that is plain. ``table`` is a copy of the table of colours to read instead of this process's.
    """
    if look.is_plain:
        return []
    matrix = {"in_color_matrix": look.matrix, "in_range": "pc" if look.full_range else "tv"}
    alpha = "a" if look.alpha else ""
    steps: list[Filter] = [("scale", matrix | {"flags": "bilinear+accurate_rnd+full_chroma_int"})]
    steps.append(("format", {"pix_fmts": f"gbr{alpha}p12le"}))
    if look.table is not None:
        steps.append(("lut3d", {"file": str(table or look.table), "interp": "tetrahedral"}))
    if look.alpha:
        steps += [("premultiply", {"inplace": "1"}), ("format", {"pix_fmts": "gbrap12le"})]
    return steps


def as_text(filters: list[Filter]) -> str:
    """The filters as ffmpeg's ``-vf`` takes them."""
    return ",".join(_one(name, options) for name, options in filters)


def _one(name: str, options: dict[str, str]) -> str:
    # Once for the list of options, and once more for the list of filters.
    values = ":".join(f"{key}={_escaped(value, chr(92) + chr(39) + ':')}" for key, value in options.items())
    return f"{name}={_escaped(values, chr(92) + chr(39) + '[],;')}" if values else name


def _escaped(value: str, special: str) -> str:
    return "".join(f"\\{letter}" if letter in special else letter for letter in value)


@dataclass
class Chain:
    """Frames through filters. Made anew for frames of another kind."""

    filters: list[Filter]
    _graph: Any = None
    _kind: tuple[Any, ...] = field(default=())

    def __call__(self, frame: av.video.frame.VideoFrame) -> Iterator[av.video.frame.VideoFrame]:
        """The frames that come out once ``frame`` is in."""
        kind = (frame.format.name, frame.width, frame.height)
        if kind != self._kind:
            yield from self.rest()
            self._graph, self._kind = _graph(self.filters, frame), kind
        self._graph.vpush(frame)
        yield from _pulled(self._graph)

    def rest(self) -> Iterator[av.video.frame.VideoFrame]:
        """The frames that are still inside."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from _pulled(self._graph)
        self._graph, self._kind = None, ()


def _graph(filters: list[Filter], frame: av.video.frame.VideoFrame) -> Any:
    graph = av.filter.Graph()
    width, height = frame.width, frame.height
    nodes = [graph.add_buffer(width=width, height=height, format=frame.format, time_base=frame.time_base)]
    nodes += [graph.add(name, **options) for name, options in filters]
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes).configure()
    return graph


def _pulled(graph: Any) -> Iterator[av.video.frame.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def deinterlaced(frames: Iterator[av.video.frame.VideoFrame]) -> Iterator[av.video.frame.VideoFrame]:
    """The same frames; from the first interlaced one on, the lines of two moments are made those of one."""
    chain = None
    for frame in frames:
        if chain is None and frame.interlaced_frame:
            chain = Chain([DEINTERLACE])
        if chain is None:
            yield frame
        else:
            yield from chain(frame)
    if chain is not None:
        yield from chain.rest()

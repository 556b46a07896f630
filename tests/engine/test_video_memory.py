"""Reading a video keeps nothing: what was decoded is free as soon as it was looked at, without garbage collection."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from faceengine.video import probe, read_frames

FEW = 24
"""More than a decoder's threads have under way, fewer than the video's frames."""


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Only counting references frees anything."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def kept() -> int:
    """Frames of FFmpeg that something refers to."""
    return sum(type(one) is VideoFrame for one in gc.get_objects())


@pytest.mark.parametrize("constant_rate", [False, True])
def test_frames_are_free_once_they_are_read(short_a: Path, uncollected: None, constant_rate: bool) -> None:
    before, most = kept(), 0
    assert probe(short_a).frames > 2 * FEW
    for _ in read_frames(short_a, constant_rate=constant_rate):
        most = max(most, kept() - before)
    assert most < FEW
    assert kept() - before < FEW


def test_untagged_frames_are_free_too(short_a: Path, tmp_path: Path, uncollected: None) -> None:
    """Of colours that aren't named, what is stored beside each picture is looked at."""
    path = tmp_path / "untagged.mp4"
    with av.open(str(path), "w") as out:
        track = out.add_stream("h264", rate=25, width=64, height=64, pix_fmt="yuv420p")
        for number in range(2 * FEW):
            frame = VideoFrame.from_ndarray(np.full((64, 64, 3), 5 * number, np.uint8))
            out.mux(track.encode(frame))
        out.mux(track.encode())
    del frame
    before = kept()
    assert sum(1 for _ in read_frames(path)) == 2 * FEW
    assert kept() - before < FEW


def test_every_image_is_its_own(short_a: Path) -> None:
    """What is used again while reading is never part of what was given away."""
    images = [frame.image for frame in read_frames(short_a)]
    copies = [frame.image.copy() for frame in read_frames(short_a)]
    assert all((image == copy).all() for image, copy in zip(images, copies, strict=True))
    assert not any(np.shares_memory(one, other) for one, other in pairwise(images))

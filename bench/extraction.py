"""Extraction against facenet-pytorch's own detector called frame by frame, in one run.

``python -m bench.extraction [CLIP] [--frames N] [--rounds R]`` prints a markdown table. Ours is the whole extraction
of every frame (decode, find, align, landmarks, masks, quality, embedding, files on disk); the yardstick is detection
alone, on frames that are decoded already.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import torch
from facenet_pytorch import MTCNN

from faceengine.events import Progress
from faceengine.extraction.config import ExtractConfig
from faceengine.extraction.extract import run
from faceengine.extraction.finder import FaceFinder
from faceengine.geometry import iou
from faceengine.video import probe, read_frames

CLIP = Path(__file__).parent.parent / "demo" / "person_a.mp4"
MIN_FACE = 30
FRAMES = 250
ROUNDS = 3


def rows() -> list[dict[str, Any]]:
    """The demo's clip as it is, and at 720p."""
    with tempfile.TemporaryDirectory() as folder:
        large = _cut(CLIP, Path(folder) / "720p.mp4", FRAMES, "-vf", "scale=960:720,pad=1280:720:160:0")
        return [*measured(CLIP), *measured(large)[:1]]


def measured(clip: Path, frames: int = FRAMES, rounds: int = ROUNDS, compared: int = 125) -> list[dict[str, Any]]:
    """``name, ours, yardstick, ratio, unit, asked`` a row. Rounds of both sides alternate; medians are taken.

    ``frames`` of the clip are extracted a round; the yardstick looks at a tenth of them a round, spread evenly, since
    its time does not depend on the frame before. ``compared`` frames are looked at by both for the two quality rows.
    """
    with tempfile.TemporaryDirectory() as folder:
        piece = _cut(clip, Path(folder) / "piece.mp4", frames)
        detector = MTCNN(keep_all=True, min_face_size=MIN_FACE)
        images = [frame.image for frame in read_frames(piece, every=10)]
        # The first call of anything pays for memory and kernels.
        _yardstick(detector, images[:2])
        ours, theirs = [], []
        for number in range(rounds):
            ours.append(_ours(piece, Path(folder) / f"faces{number}"))
            theirs.append(_yardstick(detector, images))
        size = probe(piece)
        with _threads(1):
            found, overlap = _agreement(detector, piece, max(1, frames // compared))
    fast, slow = statistics.median(ours), statistics.median(theirs)
    name = f"extraction, every frame, {size.width}×{size.height}"
    return [
        {
            "name": f"{name}, against MTCNN.detect",
            "ours": fast,
            "yardstick": slow,
            "ratio": fast / slow,
            "unit": "frames/s",
            "asked": "≥ 6 ×",
        },
        {
            "name": "frames with a face, of those in which MTCNN.detect finds one",
            "ours": 100 * found,
            "yardstick": 100.0,
            "ratio": found,
            "unit": "%",
            "asked": "≥ 99 %",
        },
        {
            "name": "box IoU with MTCNN.detect, median",
            "ours": overlap,
            "yardstick": 1.0,
            "ratio": overlap,
            "unit": "",
            "asked": "≥ 0.8",
        },
    ]


def _cut(clip: Path, piece: Path, frames: int, *filters: str) -> Path:
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        str(clip),
        "-frames:v",
        str(frames),
        "-an",
        *filters,
    ]
    subprocess.run([*command, "-c:v", "libx264", "-crf", "16", "-preset", "veryfast", str(piece)], check=True)
    return piece


def _ours(clip: Path, folder: Path) -> float:
    """Frames a second from the first frame to the finished set; building the networks is not in it."""
    started: list[float] = []

    def on_event(event: object) -> None:
        if isinstance(event, Progress) and not started:
            started.append(time.perf_counter() - event.done / max(event.rate or 1.0, 1e-6))

    result = run(ExtractConfig(inputs=(clip,), every=1, min_face=MIN_FACE), folder, on_event=on_event)
    return result.frames_read / (time.perf_counter() - started[0])


def _yardstick(detector: MTCNN, images: list[Any]) -> float:
    """Frames a second on one thread or on all, whichever is faster: beside other work two wait for each other."""
    rates = []
    for count in {1, torch.get_num_threads()}:
        with _threads(count):
            started = time.perf_counter()
            for image in images:
                detector.detect(image)
            rates.append(len(images) / (time.perf_counter() - started))
    return max(rates)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _agreement(detector: MTCNN, clip: Path, every: int) -> tuple[float, float]:
    """(share of its frames in which we find a face, median IoU of our nearest box with its surest one)."""
    follow = FaceFinder(min_face=MIN_FACE)
    overlaps: list[float] = []
    for frame in read_frames(clip):
        faces = follow(frame.image)
        if frame.index % every:
            continue
        boxes, scores = detector.detect(frame.image)
        if boxes is not None:
            box = boxes[int(np.argmax(scores))]
            overlaps.append(max((iou(face.box, box) for face in faces), default=0.0))
    return float(np.mean(np.array(overlaps) > 0)), float(np.median(overlaps))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clip", nargs="?", type=Path, default=CLIP)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    print("| what | ours | yardstick | ratio | asked |\n|---|---:|---:|---:|---:|")
    for row in measured(arguments.clip, arguments.frames, arguments.rounds):
        numbers = f"{row['ours']:.3g} {row['unit']} | {row['yardstick']:.3g} {row['unit']} | {row['ratio']:.2f}"
        print(f"| {row['name']} | {numbers} | {row['asked']} |")


if __name__ == "__main__":
    main()

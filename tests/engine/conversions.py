"""What tests of conversions ask and look at."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.conversion.config import ConvertConfig
from faceengine.video import read_frames

Image = NDArray[np.uint8]


def frames_of(path: Path, count: int | None = None) -> list[Image]:
    return [frame.image for frame in itertools.islice(read_frames(path), count)]


def psnr(one: Image, other: Image) -> float:
    return float(cv2.PSNR(one, other))


def config(video: Path, model: Path, **settings: object) -> ConvertConfig:
    settings = {"direction": "a2b", "landmarks": "dlib", "label": "none"} | settings
    return ConvertConfig(video=video, model=model, **settings)  # type: ignore[arg-type]


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())

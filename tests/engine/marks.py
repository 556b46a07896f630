"""Numbers, beeps and colours that the small inputs in ``tests/cases`` carry, read back."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from faceengine.geometry import Image
from faceengine.video import read_frames

CASES = Path(__file__).resolve().parents[1] / "cases"


def number(image: Image) -> int:
    """The number in ten squares in a frame's upper left corner, lowest bit first; frames are 640 pixels wide."""
    return int(sum((image[6:15, 8 + 18 * bit : 17 + 18 * bit].mean() > 128) << bit for bit in range(10)))


def numbers(path: Path, *, constant_rate: bool = False) -> list[int]:
    """The numbers of a video's frames in order."""
    return [number(frame.image) for frame in read_frames(path, constant_rate=constant_rate)]


def beeps(path: Path) -> list[float]:
    """Seconds from the first picture on at which a beep begins."""
    with av.open(str(path)) as container:
        begin = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        loud: list[tuple[float, float]] = []
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(float))
            samples = samples.reshape(-1, len(frame.layout.channels)).max(1) if len(samples) == 1 else samples.max(0)
            samples /= 32768 if frame.format.name.startswith("s16") else 1
            loud += [(frame.time + at / frame.sample_rate, value) for at, value in enumerate(samples) if value > 0.1]
    times = np.array([time for time, _ in loud])
    starts = times[np.diff(times, prepend=-1) > 0.2]
    return [float(time - begin) for time in starts]


def sound_length(path: Path) -> float:
    """Seconds from the first picture to the end of the sound."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    return float(frames[-1].time + frames[-1].samples / frames[-1].sample_rate)


def combing(image: Image) -> float:
    """How much neighbouring rows differ more than rows two apart: 0.5 for a whole picture, over 1 for two fields."""
    grey = image.astype(float).mean(axis=2)
    near = np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean()
    return float(near / np.abs(grey[2:-2] - (grey[:-4] + grey[4:]) / 2).mean())

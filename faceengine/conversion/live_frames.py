"""What a conversion shows of itself while it works: some of its frames, spread over all of them, as small pictures."""

from __future__ import annotations

import time
from pathlib import Path

from faceengine.events import OnEvent, Preview
from faceengine.geometry import Image
from faceengine.pictures import save_picture

FOLDER = "frames"
APART = 1.0
"""Seconds of work between two of them at least."""
WIDEST = 640
"""Pixels from side to side of one."""


class LiveFrames:
    """Keeps a picture of one in so many frames, and tells of it."""

    def __init__(self, run_dir: Path, start: int, frames: int, pictures: int, on_event: OnEvent) -> None:
        """About ``pictures`` of a video of ``frames`` frames, of which those from ``start`` on are converted."""
        self._run_dir = run_dir
        self._start = start
        self._every = max(1, frames // pictures) if pictures else 0
        self._on_event = on_event
        self._last = float("-inf")

    def __call__(self, done: int, image: Image) -> None:
        """``image`` is the ``done``-th frame, counted from 0, as it was written: ``(H, W, 3)`` RGB with its label."""
        if not self._every or done % self._every or time.monotonic() - self._last < APART:
            return
        self._last = time.monotonic()
        frame = self._start + done
        name = f"{FOLDER}/{frame:06d}.jpg"
        (self._run_dir / FOLDER).mkdir(exist_ok=True)
        save_picture(self._run_dir / name, image, widest=WIDEST)
        self._on_event(Preview(frame, name))

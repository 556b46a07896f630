"""Steadying points over time without letting them lag: the one-euro filter.

Casiez, Roussel, Vogel 2012, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems".
"""

from __future__ import annotations

import math

import numpy as np

from faceengine.geometry import Points

CALM, STRONG = 12.0, 0.5
"""Cut-off in Hz of a face at rest for a smoothing just above 0 and of 1."""
SPEED = 16.0
"""Hz of cut-off won for each face size a second: a moving face trails by 1/(2π·SPEED), one hundredth of its size."""
SPEED_CUTOFF = 1.0
"""Cut-off in Hz of the speed's own estimate, as in the paper."""


class PointFilter:
    """One face's points over time. One filter a face; make a new one at a cut."""

    def __init__(self, smoothing: float) -> None:
        """``smoothing`` in [0, 1]; 0 gives every point back as it came."""
        self._cutoff = CALM * (STRONG / CALM) ** smoothing if smoothing else math.inf
        self._time = -math.inf
        self._raw: Points = np.empty(0)
        self._points: Points = np.empty(0)
        self._speed: Points = np.empty(0)

    def __call__(self, points: Points, time: float, scale: float) -> Points:
        """The steadied ``(N, 2)`` points of the frame at ``time`` seconds.

        ``scale`` is the face's size in the same pixels, so that near and far faces are steadied alike. Speed is
        judged for each point by itself: a talking mouth doesn't free the eyes.
        """
        if math.isinf(self._cutoff):
            return points
        elapsed = time - self._time
        if not 0 < elapsed < math.inf:
            self._time, self._raw, self._points = time, points, points
            self._speed = np.zeros_like(points)
            return points
        raw_speed = (points - self._raw) / (elapsed * scale)
        self._speed = self._speed + _share(SPEED_CUTOFF, elapsed) * (raw_speed - self._speed)
        cutoff = self._cutoff + SPEED * np.linalg.norm(self._speed, axis=1, keepdims=True)
        self._points = self._points + _share(cutoff, elapsed) * (points - self._points)
        self._time, self._raw = time, points
        return self._points


def _share(cutoff: Points | float, elapsed: float) -> Points:
    """How much of the new value a first-order low-pass with this cut-off (Hz) takes in after ``elapsed`` seconds."""
    turn = 2 * math.pi * np.asarray(cutoff) * elapsed
    return np.asarray(turn / (turn + 1))

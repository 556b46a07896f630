"""Does one face speak in a recording?

It does if it is in most frames, for some seconds, near enough, and its mouth opens and closes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceengine.faceset import Crop

_SECONDS = 3.0
"""The face must be seen for so long: a phrase takes four seconds to read."""
_SHARE = 0.6
"""… and in so many of the frames: who turns away or covers the face for a moment is no problem."""
_SIZE = 70.0
"""Pixels of the frame. In smaller faces the landmarks tremble as much as a mouth moves."""
_MOVES = 0.07
"""Between the mouth's wide and narrow moments, as a share of the distance from eyes to nose. A photo that is filmed,
moved, turned and noisy has 0.02 to 0.05; somebody who speaks, 0.17 and more."""
_UPPER, _LOWER = (61, 62, 63), (67, 66, 65)
"""The inner lips' landmarks (iBUG 300-W)."""


@dataclass(frozen=True)
class Speaking:
    """What was measured of the person whom most faces show."""

    share: float
    """Of the frames that were looked at, how many show them, in [0, 1]."""
    seconds: float
    """From the first of these frames to the last."""
    size: float
    """Median side of the face's box, pixels of the frame."""
    mouth: float
    """Between the mouth's wide and narrow moments (90th and 10th percentile), as a share of the face."""

    @property
    def problem(self) -> str:
        """Return ``no_face``, ``short``, ``far``, ``still``, or nothing where the face speaks."""
        if self.share < _SHARE:
            return "no_face"
        if self.seconds < _SECONDS:
            return "short"
        if self.size < _SIZE:
            return "far"
        return "still" if self.mouth < _MOVES else ""


NOBODY = Speaking(0.0, 0.0, 0.0, 0.0)


def measure(faces: Sequence[Crop], looked_at: int, seconds_between: float) -> Speaking:
    """Return what is to be told of one person's faces in ``looked_at`` frames that are ``seconds_between`` apart."""
    if not faces:
        return NOBODY
    frames = {face.frame for face in faces}
    times = [face.time for face in faces]
    openings = mouth_openings(faces)
    return Speaking(
        share=min(1.0, len(frames) / max(1, looked_at)),
        seconds=max(times) - min(times) + seconds_between,
        size=float(np.median([face.face_size for face in faces])),
        mouth=float(np.percentile(openings, 90) - np.percentile(openings, 10)),
    )


def mouth_openings(faces: Sequence[Crop]) -> NDArray[np.float64]:
    """``(N,)``: how far the inner lips are apart, as a share of :func:`scales`."""
    landmarks = np.stack([face.landmarks for face in faces])
    apart = np.linalg.norm(landmarks[:, _UPPER] - landmarks[:, _LOWER], axis=2).mean(axis=1)
    return np.asarray(apart / scales(faces))


def scales(faces: Sequence[Crop]) -> NDArray[np.float64]:
    """``(N,)``: from the eyes to the nose or from eye to eye, whichever looks longer; pixels of the frame."""
    landmarks = np.stack([face.landmarks for face in faces])
    left, right = landmarks[:, 36:42].mean(axis=1), landmarks[:, 42:48].mean(axis=1)
    to_nose = np.linalg.norm(landmarks[:, 33] - (left + right) / 2, axis=1)
    return np.asarray(np.maximum(np.maximum(to_nose, np.linalg.norm(left - right, axis=1)), 1.0))

"""Which face of this frame is which of the last one, and what is known of each: its person and its steadied points."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from faceengine.conversion.smoothing import PointFilter
from faceengine.extraction.finder import Face
from faceengine.geometry import iou

MIN_OVERLAP = 0.3
"""Intersection over union from which on two boxes of neighbouring frames are the same face."""
MAX_GAP = 5
"""Frames that a face may be missing before it counts as a new one."""


@dataclass
class Track:
    """One face as long as it is followed."""

    number: int
    landmarks: PointFilter
    box: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    seen: int
    """Frame in which it was last found."""
    verdict: str = "unsure"
    """``same``, ``unsure`` or ``different``: is it the person to be replaced?"""
    distance: float = field(default=float("nan"))
    """Between its embedding and the person's, when last looked at."""
    checked: int | None = None
    """Frame in which its identity was last looked at."""
    strange: int = 0
    """Looks in a row that called it another face than the person's."""
    consented: float | None = None
    """Distance to the nearest face of who agreed, when last looked at; ``None`` where nobody is asked."""
    refused: bool = False
    """Whether it looked like the person then, but not like who agreed."""


class Tracker:
    """Follows the faces of one shot; :meth:`forget` at a cut."""

    def __init__(self, smoothing: float) -> None:
        self._smoothing = smoothing
        self._tracks: list[Track] = []
        self._count = 0

    def forget(self) -> None:
        self._tracks = []

    def __call__(self, faces: list[Face], frame: int) -> list[Track]:
        """The track of each face of frame number ``frame``, in the order of ``faces``."""
        known = [track for track in self._tracks if frame - track.seen <= MAX_GAP]
        pairs = sorted(
            ((iou(face.box, track.box), i, j) for i, face in enumerate(faces) for j, track in enumerate(known)),
            reverse=True,
        )
        of_face: dict[int, Track] = {}
        taken: set[int] = set()
        for overlap, i, j in pairs:
            if overlap >= MIN_OVERLAP and i not in of_face and j not in taken:
                of_face[i] = known[j]
                taken.add(j)
        tracks = [of_face.get(i) or self._new(face, frame) for i, face in enumerate(faces)]
        for face, track in zip(faces, tracks, strict=True):
            track.box, track.seen = face.box, frame
        self._tracks = tracks + [track for j, track in enumerate(known) if j not in taken]
        return tracks

    def _new(self, face: Face, frame: int) -> Track:
        self._count += 1
        return Track(self._count, PointFilter(self._smoothing), box=face.box, seen=frame)

"""Before a result is delivered: were the faces that were swapped those of the person who agreed?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from faceengine.conversion.frame_swapper import Seen
from faceengine.errors import InputError
from faceengine.thresholds import Thresholds

FEW = 5
"""Looks below which a track is judged with all the others only."""


@dataclass
class Verification:
    """Counts what was refused and how near the swapped faces were, frame by frame."""

    refused: int = 0
    """Frames with a face that is like the person to be replaced, but not like the one who agreed."""
    nearest: float | None = None
    """Of all faces, swapped or not, to who agreed."""
    _swapped: dict[int, list[float]] = field(default_factory=dict)
    """Distances of the swapped faces to who agreed, by track."""

    def add(self, faces: Iterable[Seen]) -> None:
        """Take the faces of one frame."""
        faces = list(faces)
        self.refused += any(seen.refused for seen in faces)
        for seen in faces:
            if seen.consented is None:
                continue
            self.nearest = min(seen.consented, self.nearest if self.nearest is not None else seen.consented)
            if seen.verdict == "same":
                self._swapped.setdefault(seen.track, []).append(seen.consented)

    def require(self, thresholds: Thresholds) -> None:
        """Raise :class:`InputError` ``convert.unverified`` if most looks at a swapped face doubt who it is."""
        doubtful = (thresholds.same + thresholds.different) / 2
        together = [distance for track in self._swapped.values() for distance in track]
        for track in [together, *self._swapped.values()]:
            enough = len(track) >= FEW or track is together
            if track and enough and median(track) > doubtful:
                raise InputError(
                    "convert.unverified",
                    "a face that was swapped is not surely that of the person who agreed: its typical distance to "
                    f"their recording is {median(track):.2f}, and up to {doubtful:.2f} is accepted. Nothing was kept",
                )

"""Faces are found late, and shown in time: frames wait until the whole of a frame after them was searched.

Between two searches of a whole frame the finder only follows the faces that it knows, so somebody who comes into view
beside them is noticed at the next search (``extraction/finder.py``). Here the frames since the last search are kept,
and whoever is new at a search is traced back through them to where they appeared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from faceengine.extraction.finder import Face, FaceFinder
from faceengine.geometry import Image, iou, shared

MOST_FRAMES, FEWEST_FRAMES = 25, 4
"""Frames between two searches: at most, and at least however large they are."""
MOST_BYTES = 256 << 20
"""Of frames that wait. A frame of 1080p has 6 MB, one of 4K 25 MB."""
_DOUBLE = 0.7
"""Share of the smaller box from which on two faces of a frame are one, as the finder has it."""
_SURE = 0.9
"""Score from which on a face that can't be followed is worth another search."""
_NEAR = 0.3
"""Intersection over union from which on a searched face may be the one of the next frame."""


@dataclass
class Found:
    """A frame and its faces."""

    image: Image
    time: float
    number: int
    starts_shot: bool
    faces: list[Face] = field(default_factory=list)


class LookAhead:
    """Finds the faces of a video's frames, given in order; one for each stretch of them."""

    def __init__(self, finder: FaceFinder, starts_shot: Callable[[Image], bool]) -> None:
        self._finder = finder
        self._starts_shot = starts_shot
        self._open: list[Found] = []

    def __call__(self, frames: Iterable[tuple[int, float, Image]]) -> Iterator[list[Found]]:
        """Return for each frame (number, seconds, ``(H, W, 3)`` RGB) those whose faces have all been found since then:
        mostly none, then all since the last search. After the last frame come those that are left."""
        for number, time, image in frames:
            done: list[Found] = []
            starts_shot = self._starts_shot(image)
            if starts_shot:
                done = self._close()
                self._finder.reset()
            found = Found(image, time, number, starts_shot)
            self._open.append(found)
            found.faces = self._finder(image, search=len(self._open) >= _most(image))
            if self._finder.searched:
                done += self._traced_back()
            yield done
        yield self._close()

    def _close(self) -> list[Found]:
        """End a shot: search its last frame for whom nobody has noticed yet."""
        if not self._open:
            return []
        last = self._open[-1]
        newcomers = [face for face in self._finder.search(last.image) if not _is_known(face, last)]
        last.faces += newcomers
        return self._traced_back()

    def _traced_back(self) -> list[Found]:
        *before, last = self._open
        for face in last.faces:
            self._trace(face, before)
        done, self._open = self._open, []
        return done

    def _trace(self, face: Face, before: list[Found]) -> None:
        """Add the face to the frames before the one it was found in, as far as it is there and not known."""
        for found in reversed(before):
            if _is_known(face, found):
                return
            earlier = self._finder.trace(found.image, face) or self._searched(face, found)
            if earlier is None or _is_known(earlier, found):
                return
            found.faces.append(earlier)
            face = earlier

    def _searched(self, face: Face, found: Found) -> Face | None:
        """Return the face as a search of the whole frame finds it, where following it has failed."""
        if face.score < _SURE:
            return None
        near = [(iou(face.box, other.box), other) for other in self._finder.search(found.image)]
        overlap, nearest = max(near, key=lambda one: one[0], default=(0.0, face))
        return nearest if overlap >= _NEAR else None


def _is_known(face: Face, found: Found) -> bool:
    return any(shared(face.box, other.box) > _DOUBLE for other in found.faces)


def _most(image: Image) -> int:
    """How many frames of this size may wait. It depends on nothing else: parts of a video must come out as the whole
    does."""
    return max(FEWEST_FRAMES, min(MOST_FRAMES, MOST_BYTES // image.nbytes))

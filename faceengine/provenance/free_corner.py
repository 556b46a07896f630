"""Where the visible label goes if nobody says where: a corner away from the faces, the same one for a whole shot.

The rule looks at faces and at nothing that was chosen before, so that any part of a video gets its label where the
whole has it: the first corner, in an order that never changes, whose plate is clear of all faces. Hence the label only
moves to another corner, at a cut or where a conversion begins anew, if a face is in its way there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceengine.geometry import Image
from faceengine.provenance.choices import AUTO
from faceengine.provenance.label import Label

CORNERS = ("bottom-right", "bottom-left", "top-right", "top-left")
"""In the order in which they are tried."""
MARGIN = 0.1
"""How far the plate keeps from a face's rectangle, as a share of that rectangle's sides."""
_BROWS, _SIDES, _CHIN = 0.25, 0.15, 0.05
"""What of a face's rectangle has its landmarks, in shares of its sides: it begins so far below the top (above there are
forehead and hair), and reaches so far beyond the sides, for a turned head's cheek, and beyond the bottom."""

Boxes = NDArray[np.float64]


@dataclass(frozen=True)
class Spot:
    """A place, and how the label is laid out there."""

    place: str
    one_line: bool | None = None
    """Whether its words are on one line, on two, or as usual (``None``)."""
    apart: bool = True
    """Whether it keeps a distance from the picture's edges."""


class FreeLabel:
    """A label for pictures of one size that is in a fixed place, or with ``auto`` wherever no face is."""

    def __init__(self, label: str, place: str, height: int, width: int, *, shortest: int | None = None) -> None:
        """As of :class:`Label`; ``place`` may be ``auto`` as well."""
        if place == AUTO and label != "none":
            lines = (None, True, False) if label == "both" else (None,)
            # In each corner the less usual comes later.
            spots = [Spot(corner, line, apart) for corner in CORNERS for apart in (True, False) for line in lines]
        else:
            spots = [Spot(CORNERS[0] if place == AUTO else place)]
        self._labels = {
            spot: Label(label, spot.place, height, width, shortest=shortest, one_line=spot.one_line, apart=spot.apart)
            for spot in spots
        }
        self._usual = spots[0]

    @property
    def spots(self) -> tuple[Spot, ...]:
        """Every place that it may have."""
        return tuple(self._labels)

    def spot(self, faces: Iterable[Boxes]) -> Spot:
        """Return where the label goes in a shot with ``faces``, ``(4,)`` x0, y0, x1, y1 each, of any of its frames.

        Where no corner is clear of all, it is where the least is covered of what is between brows and chin, then of the
        whole faces, then of what is around them. Letters never get smaller than the law wants for that.
        """
        boxes = np.array(list(faces), np.float64).reshape(-1, 4)
        if len(self._labels) == 1 or not len(boxes):
            return self._usual
        layers = _features(boxes), boxes, _grown(boxes)
        return min(self._labels, key=lambda spot: tuple(self._covered(spot, layer) for layer in layers))

    def drawn(self, image: Image, spot: Spot | None = None, *, in_place: bool = False) -> Image:
        """Return the picture as :meth:`Label.drawn` does, with the label at ``spot`` or where it goes without faces."""
        return self._labels[spot or self._usual].drawn(image, in_place=in_place)

    def box(self, spot: Spot | None = None) -> tuple[int, int, int, int]:
        """Return where the plate lies: x, y, width, height."""
        return self._labels[spot or self._usual].box

    def _covered(self, spot: Spot, boxes: Boxes) -> float:
        """Return how many pixels of all ``(N, 4)`` boxes, added up, the plate covers."""
        x, y, width, height = self._labels[spot].box
        low, high = np.maximum(boxes[:, :2], (x, y)), np.minimum(boxes[:, 2:], (x + width, y + height))
        return float(np.maximum(high - low, 0).prod(axis=1).sum())


def _features(boxes: Boxes) -> Boxes:
    """Return the ``(N, 4)`` parts of faces that have eyes, nose, mouth and chin."""
    x0, y0, x1, y1 = boxes.T
    width, height = x1 - x0, y1 - y0
    return np.stack([x0 - _SIDES * width, y0 + _BROWS * height, x1 + _SIDES * width, y1 + _CHIN * height], axis=1)


def _grown(boxes: Boxes) -> Boxes:
    grown = MARGIN * (boxes[:, 2:] - boxes[:, :2])
    return np.hstack([boxes[:, :2] - grown, boxes[:, 2:] + grown])

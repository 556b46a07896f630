"""The label that everybody sees: "AI MODIFIED", "AI换脸", or both, on a plate, in every picture."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.geometry import Image
from faceengine.provenance.choices import LABELS, PLACES

SHARE = 0.05
"""Height of a capital letter as a share of the picture's shortest side: the least that GB 45438-2025 allows."""
LEAST = 9
"""Pixels below which capital letters can't be read."""
_CAPITAL = 128
"""Height of a capital letter in the masks, in pixels."""
_PADDING = 0.6
"""Plate around the letters, and distance from the picture's edge, in capital letters."""
WIDEST_LINE = 0.6
"""Share of the picture's width up to which ``both`` is on one line, where nothing speaks for the other layout."""
_PLATE = 0.7
"""How much of the picture the black plate covers: white letters on it are read on white as on black."""
_LINE = "both-line"
_FOLDER = Path(__file__).parent / "labels"


class Label:
    """A label made ready for pictures of one size, so that drawing it costs its own rectangle and no more."""

    def __init__(
        self,
        label: str,
        place: str,
        height: int,
        width: int,
        *,
        shortest: int | None = None,
        one_line: bool | None = None,
        apart: bool = True,
    ) -> None:
        """For pictures of ``height`` × ``width``; ``shortest`` is the shortest side of what they become a part of.

        ``label`` is one of :data:`LABELS`; ``none`` draws nothing. ``place`` is one of :data:`PLACES`. ``one_line`` is
        whether ``both`` is on one line instead of two; ``None``: if it is no wider than :data:`WIDEST_LINE` then.
        ``apart`` is whether the plate keeps a distance from the picture's edges.
        """
        if label not in LABELS or place not in PLACES:
            raise ValueError(f"no label is {label!r} at {place!r}")
        self._shape = (height, width)
        self._rows, self._columns = slice(0, 0), slice(0, 0)
        if label != "none":
            capital = max(math.ceil(SHARE * (shortest or min(height, width))) + 1, LEAST)
            self._make_ready(_letters(_mask(label, capital, width, one_line)), place, capital, apart=apart)

    def _make_ready(self, letters: Image, place: str, capital: int, *, apart: bool) -> None:
        height, width = self._shape
        padding = round(_PADDING * capital)
        # A picture smaller than the smallest readable label is filled by it.
        room = (max(height - 2 * padding, 1) / letters.shape[0], max(width - 2 * padding, 1) / letters.shape[1])
        scale = min(capital / _CAPITAL, *room)
        size = (max(round(letters.shape[1] * scale), 1), max(round(letters.shape[0] * scale), 1))
        small = cv2.resize(letters, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        padding = min(padding, (width - size[0]) // 2, (height - size[1]) // 2)
        white = np.pad(small, padding)[..., None]
        through = (1 - white) * np.float32(1 - _PLATE)
        self._light, self._through = (_bytes(np.repeat(part, 3, axis=2)) for part in (white, through))
        self._rows, self._columns = _at(place, white.shape[:2], self._shape, padding if apart else 0)

    def drawn(self, image: Image, *, in_place: bool = False) -> Image:
        """A copy of the ``(H, W, 3)`` uint8 picture with the label, or itself; itself without one to draw."""
        if image.shape[:2] != self._shape:
            raise ValueError(f"the label is for pictures of {self._shape}, not {image.shape[:2]}")
        if self._rows.stop == 0:
            return image
        made = image if in_place else image.copy()
        under = made[self._rows, self._columns]
        made[self._rows, self._columns] = cv2.add(cv2.multiply(under, self._through, scale=1 / 255), self._light)
        return made

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Where the plate lies: x, y, width, height."""
        x, y = self._columns.start, self._rows.start
        return x, y, self._columns.stop - x, self._rows.stop - y


def _mask(label: str, capital: int, width: int, one_line: bool | None) -> str:
    """Return the name of the mask of the label's letters, for pictures ``width`` pixels wide."""
    if label != "both":
        return label
    if one_line is None:
        line = capital * (_letters(_LINE).shape[1] / _CAPITAL + 2 * _PADDING)
        one_line = line <= WIDEST_LINE * width
    return _LINE if one_line else label


def _at(place: str, size: tuple[int, int], within: tuple[int, int], gap: int) -> tuple[slice, slice]:
    free_y, free_x = within[0] - size[0], within[1] - size[1]
    gap_y, gap_x = min(gap, free_y), min(gap, free_x)
    y = gap_y if place.startswith("top") else free_y - gap_y
    x = gap_x if place.endswith("left") else free_x - gap_x if place.endswith("right") else free_x // 2
    return slice(y, y + size[0]), slice(x, x + size[1])


def _bytes(share: NDArray[np.float32]) -> Image:
    return np.asarray(np.rint(share * 255), np.uint8)


@cache
def _letters(name: str) -> NDArray[np.uint8]:
    """The ``(h, w)`` mask of the letters; see ``labels/README.md``."""
    mask = cv2.imdecode(np.fromfile(_FOLDER / f"{name}.png", np.uint8), cv2.IMREAD_GRAYSCALE)
    assert mask is not None  # it is part of the program
    return np.asarray(mask, np.uint8)

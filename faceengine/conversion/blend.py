"""Putting a swapped crop back into its frame: pasted, feathered, or by Poisson's equation.

All work is done in the rectangle around the face. Frames and crops are ``(H, W, 3)`` uint8 RGB, masks float32 in
[0, 1]. Where a mask is 0 the frame's own bytes stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.extraction.masks import face_masks
from faceengine.geometry import Image, Matrix, Points, invert, transform

Floats = NDArray[np.float32]
Part = tuple[float, float, float, float]
"""Left, top, right and bottom edge in a crop, as shares of its side."""

MASK_SIZE = 128
"""Side of the masks in crop space. They are soft, so more pixels would only cost time."""
REACH = 0.06
"""How far a drawn face may reach beyond the source's outline, as a share of the crop."""
POISSON_MARGIN = 16
"""Pixels of frame around the mask that the Poisson solution leans on."""


@dataclass(frozen=True)
class Region:
    """A rectangle of the frame around one face, and the way from a crop into it. It may reach beyond the frame."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def around(cls, matrix: Matrix, size: int, margin: int = 1, part: Part = (0.0, 0.0, 1.0, 1.0)) -> Region:
        """The smallest one, with odd sides, that holds ``part`` of the ``size``-pixel crop of ``matrix`` and a
        margin."""
        left, top, right, bottom = part
        edges = np.array([[left, top], [right, top], [left, bottom], [right, bottom]]) * size - 0.5
        corners = transform(edges, invert(matrix))
        low = np.floor(corners.min(axis=0)).astype(int) - margin
        sides = np.ceil(corners.max(axis=0)).astype(int) + margin + 1 - low
        return cls(int(low[0]), int(low[1]), int(sides[0]) | 1, int(sides[1]) | 1)

    def inside(self, frame: Image) -> tuple[slice, slice]:
        """Rows and columns of the frame that the region covers; empty slices if it lies outside."""
        height, width = frame.shape[:2]
        rows = slice(min(max(self.y, 0), height), min(max(self.y + self.height, 0), height))
        columns = slice(min(max(self.x, 0), width), min(max(self.x + self.width, 0), width))
        return rows, columns

    def clipped(self, frame: Image) -> Region:
        """What of it lies in the frame: a face may be far larger than that."""
        rows, columns = self.inside(frame)
        return Region(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)

    def own(self, rows: slice, columns: slice) -> tuple[slice, slice]:
        """The frame's rows and columns counted from the region's corner."""
        return slice(rows.start - self.y, rows.stop - self.y), slice(columns.start - self.x, columns.stop - self.x)

    def paste(self, crop: Image, matrix: Matrix) -> Image:
        """The ``(S, S, 3)`` uint8 picture of ``matrix`` as it lies in the region; it goes on beyond its edge."""
        size = self.width, self.height
        how, border = cv2.INTER_CUBIC, cv2.BORDER_REPLICATE
        return np.asarray(cv2.warpAffine(crop, self._back(matrix), size, flags=how, borderMode=border), np.uint8)

    def paste_mask(self, mask: Floats, matrix: Matrix) -> Floats:
        """The ``(S, S)`` mask of ``matrix`` as it lies in the region; it ends at its edge."""
        size = self.width, self.height
        pasted = cv2.warpAffine(mask, self._back(matrix), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(np.clip(pasted, 0, 1), np.float32)

    def _back(self, matrix: Matrix) -> Matrix:
        back = invert(matrix)
        back[:, 2] -= (self.x, self.y)
        return back


def extent(mask: Floats) -> Part | None:
    """Where the ``(S, S)`` mask of a crop has an effect, up to one pixel beyond what is not 0; ``None`` if nowhere."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    size = len(mask)
    low, high = (columns[0] - 0.5, rows[0] - 0.5), (columns[-1] + 1.5, rows[-1] + 1.5)
    return float(low[0] / size), float(low[1] / size), float(high[0] / size), float(high[1] / size)


def face_hull(landmarks: Points) -> Floats:
    """``(MASK_SIZE, MASK_SIZE)``, 1 inside the face's outline; landmarks ``(68, 2)`` as shares of the crop."""
    mask = face_masks(landmarks * MASK_SIZE - 0.5, MASK_SIZE)["face"]
    return np.asarray(mask / np.float32(255), np.float32)


def soft_mask(masks: Floats, landmarks: Points, *, cover: str, erode: float, feather: float) -> Floats:
    """The mask of feathered and Poisson pastes, ``(MASK_SIZE, MASK_SIZE)``, 0 at the crop's edge.

    ``masks`` ``(S, S, 2)`` are the model's: the drawn face, and the visible face. ``landmarks`` ``(68, 2)`` are shares
    of the crop. ``cover`` says what is replaced: ``alpha`` (where both masks show face), ``face`` (the landmarks' hull)
    or ``both`` (:func:`shape`). ``erode`` and ``feather`` are shares of the crop: how far the edge draws back, and how
    wide it fades.
    """
    if cover == "face":
        mask = face_hull(landmarks)
    else:
        drawn, visible = (resample(np.ascontiguousarray(part), MASK_SIZE) for part in np.moveaxis(masks, -1, 0))
        both = np.asarray(np.minimum(drawn, visible), np.float32)
        mask = both if cover == "alpha" else shape(drawn, visible, face_hull(landmarks))
    radius, fade = round(erode * MASK_SIZE), max(round(feather * MASK_SIZE), 1)
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    eroded = cv2.erode(mask, ellipse)
    # However far the face reaches beyond the crop, the fade ends inside.
    for edge in (eroded[:fade], eroded[-fade:], eroded[:, :fade], eroded[:, -fade:]):
        edge[:] = 0
    faded = cv2.GaussianBlur(eroded, (2 * fade + 1, 2 * fade + 1), 0, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(faded, np.float32)


def shape(drawn: Floats, visible: Floats, hull: Floats) -> Floats:
    """The face to be replaced, ``(S, S)``: the drawn face where the source shows face, and a little beyond its outline.

    A wider jaw or fuller cheeks belong to the drawn person, so the drawn face may reach :data:`REACH` beyond the
    source's hull; but only from where the source's face is visible up to that hull. Where hair, glasses or a hand
    cover its edge, they stay. All three are ``(S, S)`` in [0, 1].
    """
    inside = visible * hull
    radius = round(REACH * len(hull))
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    beyond = cv2.dilate(inside, ellipse) * (1 - hull)
    return np.asarray(np.minimum(drawn, np.maximum(inside, beyond)), np.float32)


def resample(mask: Floats, size: int) -> Floats:
    """The ``(S, S)`` mask of a crop as the ``(size, size)`` mask of the same crop."""
    how = cv2.INTER_AREA if size < mask.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(mask, (size, size), interpolation=how), np.float32)


def resized(matrix: Matrix, old: int, new: int) -> Matrix:
    """The matrix of the same crop cut at ``new`` pixels instead of ``old`` (see ``geometry.align_matrix``)."""
    factor = new / old
    return np.asarray(matrix * factor + np.array([[0, 0, (factor - 1) / 2]] * 2))


def paste(frame: Image, region: Region, colour: Image, mask: Floats) -> None:
    """Mix ``colour`` ``(h, w, 3)`` uint8 into ``frame``, in place, by ``mask`` ``(h, w)``; both are the region's."""
    rows, columns = region.inside(frame)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    own = region.own(rows, columns)
    share = mask[own]
    frame[rows, columns] = cv2.blendLinear(colour[own], frame[rows, columns], share, 1 - share)


def clone(frame: Image, region: Region, colour: Image, mask: Floats) -> None:
    """Put ``colour`` into ``frame``, in place, so that its details stay and its level follows the frame around it.

    Pérez et al. 2003, "Poisson image editing", by ``cv2.seamlessClone``. That function centres the *bounding box of
    the mask* on a given point and solves in that box, so a mask that breathes moves and recolours the face. Here the
    box never depends on the mask: two marks in opposite corners span it, and its centre is the odd-sided region's.
    A soft mask mixes the two gradients softly, so its edge doesn't jump from one pixel to the next either.
    """
    under = _cut(frame, region)
    marked = np.rint(mask * 255).astype(np.uint8)
    if not marked.any():
        return
    # seamlessClone drops the outermost ring of the mask. It erodes the mask by three pixels for its gradients, so that
    # single marks span the box and take no other part.
    marked[1, 1] = marked[-2, -2] = 255
    centre = (region.width // 2, region.height // 2)
    cloned = cv2.seamlessClone(colour, under, marked, centre, cv2.NORMAL_CLONE)
    # The solution recolours the frame around the mask as well; fade it out over the mask's rim.
    paste(frame, region, np.asarray(cloned, np.uint8), np.minimum(mask * 4, 1))


def _cut(frame: Image, region: Region) -> Image:
    """The region of the frame; what lies outside is mirrored, so that a face at the border has surroundings."""
    height, width = frame.shape[:2]
    rows = _mirrored(np.arange(region.y, region.y + region.height), height)
    columns = _mirrored(np.arange(region.x, region.x + region.width), width)
    return np.ascontiguousarray(frame[rows[:, None], columns])


def _mirrored(index: NDArray[np.int_], length: int) -> NDArray[np.int_]:
    """Every index brought into [0, length) by mirroring at the first and last element, as often as it takes."""
    if length == 1:
        return np.zeros_like(index)
    folded = np.abs(index) % (2 * length - 2)
    return np.asarray(np.minimum(folded, 2 * length - 2 - folded))

"""A person's crops in memory: aligned and read when they are first asked for, and shared by all worker processes.

Reading a large set before its first iteration takes minutes; here a training begins at once and its first iterations
do that work. The visible face, which costs most, is kept in the set's folder where that can be written to.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.embedding.chips import five_points
from faceengine.errors import InputError
from faceengine.faceset import Crop, FaceSet
from faceengine.geometry import Image, align_matrix, transform, warp
from faceengine.training.visible import visible_face

MASKS = ("eyes", "mouth", "brows", "face")
"""The masks that losses weigh by; ``face`` is the visible face, without hair or hands in front of it."""
VISIBLE = "visible-1"
"""Folder of the visible faces in a face set; another way to find them gets another number."""
POSE_BIN = 15
"""Degrees of yaw and pitch that share a bin of the balanced sampling."""
LEAST_ROOM, SHARE = 1_350_000_000, 0.125
"""Bytes that the pictures of one person may take: 5,000 crops of 256 pixels, or this share of the machine's memory."""
_CGROUP = Path("/sys/fs/cgroup/memory.max")


class Pictures:
    """``pictures[index]``: a crop ``(W, W, 3)`` uint8 RGB and its :data:`MASKS` ``(W / 2, W / 2, 4)`` uint8.

    W is twice the model's side, which leaves the warp pixels to work with, or the set's own side if that is less.
    Crops are aligned by their landmarks: the detector's five points, by which they are cut, move by up to a pixel at
    64 from frame to frame, which a model would have to learn besides what a crop shows; points made of the 68 landmarks
    move half as much.

    Memory is shared between processes that are forked later, and is used only as it is filled. Two that read the same
    crop at once write the same bytes. Of a set that needs more than ``room`` bytes the last crops are not kept, and are
    read again whenever they are drawn.
    """

    def __init__(self, faces: FaceSet, crops: Sequence[Crop], size: int, room: int | None = None) -> None:
        self.weights = pose_weights(crops)
        """Probability of each crop to be drawn, balanced over pose."""
        self._faces = faces
        self._crops = list(crops)
        side = min(2 * size, faces.image(crops[0].id).shape[0])
        each = side * side * 3 + (side // 2) ** 2 * len(MASKS)
        kept = min(len(crops), (_room() if room is None else room) // each)
        self._side = side
        self._images = _shared((kept, side, side, 3))
        self._masks = _shared((kept, side // 2, side // 2, len(MASKS)))
        self._ready = _shared((kept,))

    def __len__(self) -> int:
        return len(self._crops)

    def __getitem__(self, index: int) -> tuple[Image, Image]:
        """Raises :class:`InputError` for a picture that is missing or damaged."""
        if index >= len(self._ready):
            return self._read(index)
        if not self._ready[index]:
            self._images[index], self._masks[index] = self._read(index)
            self._ready[index] = 1
        return self._images[index], self._masks[index]

    def image(self, index: int) -> Image:
        """The crop without its masks."""
        return self[index][0]

    def _read(self, index: int) -> tuple[Image, Image]:
        crop, side = self._crops[index], self._side
        image, masks = self._faces.image(crop.id), self._faces.masks(crop.id)
        masks["face"] = self._visible(crop.id, image, masks)
        points = transform(five_points(crop.landmarks), crop.matrix)
        stack = np.dstack([masks[name] for name in MASKS])
        return warp(image, align_matrix(points, side), side), warp(stack, align_matrix(points, side // 2), side // 2)

    def _visible(self, crop_id: int, image: Image, masks: dict[str, Image]) -> Image:
        path = self._faces.folder / VISIBLE / f"{crop_id:06d}.png"
        kept = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
        if kept is not None and kept.shape == masks["face"].shape:
            return kept  # type: ignore[return-value]
        found = visible_face(image, masks)
        _keep(path, found)
        return found


def _keep(path: Path, mask: Image) -> None:
    """For the next training; a folder that can't be written to only costs the time again."""
    part = path.with_name(f".{path.stem}.{os.getpid()}.part")
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        part.write_bytes(cv2.imencode(".png", mask)[1].tobytes())
        part.replace(path)


def _room() -> int:
    """Return how many bytes the pictures of one person may take."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # "max" where there is no limit
        whole = min(whole, int(_CGROUP.read_text()))
    return max(LEAST_ROOM, int(SHARE * whole))


def _shared(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Zeros that forked processes share."""
    length = int(np.prod(shape))
    return np.frombuffer(mmap.mmap(-1, max(1, length)), np.uint8)[:length].reshape(shape)


def check_pictures(faces: FaceSet, crops: Sequence[Crop]) -> None:
    """Raise :class:`InputError` for the first crop whose files are not there: not hours later, when it is drawn."""
    for kind in ("crops", "masks"):
        there = {path.name for path in (faces.folder / kind).iterdir()} if (faces.folder / kind).is_dir() else set()
        for crop in crops:
            if f"{crop.id:06d}.png" not in there:
                raise InputError("faceset.picture", f"{faces.folder / kind}/{crop.id:06d}.png is missing or damaged")


def pose_weights(crops: Sequence[Crop]) -> NDArray[np.float64]:
    """Probabilities ``(N,)`` under which every pose bin that a set has is drawn more evenly.

    A bin's share is the square root of its count: a rare profile is not drowned, nor is a single blurred crop drawn
    in every batch.
    """
    bins = np.array([[round(crop.yaw / POSE_BIN), round(crop.pitch / POSE_BIN)] for crop in crops])
    _, index, counts = np.unique(bins, axis=0, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = 1 / np.sqrt(counts[index.reshape(-1)])
    return weights / float(weights.sum())

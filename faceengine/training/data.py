"""Batches: which crops an iteration sees, and how they are prepared.

Everything random of iteration *i* comes from the seed, *i* and, with several ranks, the rank's number alone. So any
number of worker processes gives the same batches, and a resumed run sees exactly what an undisturbed one would have
seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from faceengine.embedding.chips import five_points
from faceengine.faceset import Crop, FaceSet
from faceengine.geometry import Image, align_matrix, transform, warp
from faceengine.networks.faceswap_gan import PERSONS
from faceengine.training import augment
from faceengine.training.config import Recipe
from faceengine.training.ranks import ALONE, Ranks
from faceengine.training.visible import visible_face

POSE_BIN = 15
"""Degrees of yaw and pitch that share a bin of the balanced sampling."""


@dataclass(frozen=True)
class Faces:
    """One side of a batch: ``warped``, ``target`` ``(B, 3, S, S)`` in [-1, 1]; masks ``(B, 1, S, S)`` in [0, 1]."""

    warped: Tensor
    target: Tensor
    eyes: Tensor
    face: Tensor

    def to(self, device: torch.device) -> Faces:
        parts = (self.warped, self.target, self.eyes, self.face)
        return Faces(*(part.to(device, non_blocking=True) for part in parts))

    def pin_memory(self) -> Faces:
        return Faces(*(part.pin_memory() for part in (self.warped, self.target, self.eyes, self.face)))


@dataclass(frozen=True)
class Batch:
    """What one iteration sees: the faces of each person, and its draw of mixup's λ."""

    faces: dict[str, Faces]
    mix: float

    def to(self, device: torch.device) -> Batch:
        return Batch({person: faces.to(device) for person, faces in self.faces.items()}, self.mix)

    def pin_memory(self) -> Batch:
        return Batch({person: faces.pin_memory() for person, faces in self.faces.items()}, self.mix)


@dataclass(frozen=True)
class Pictures:
    """A person's crops at working size, in memory: ``images (N, W, W, 3)``, ``masks (N, W, W, 2)`` eyes and face."""

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    weights: NDArray[np.float64]
    """Probability of each crop to be drawn, balanced over pose."""


def load_pictures(faces: FaceSet, crops: Sequence[Crop], size: int) -> Pictures:
    """Read all ``crops`` of a set, aligned by their landmarks.

    The detector's five points, by which crops are cut, tremble by up to a pixel at 64, and that much a model would have
    to learn about each crop besides what it shows; points made of the 68 landmarks tremble half as much. The working
    size is twice the model's, which leaves the warp pixels to work with.
    """

    def read(crop: Crop) -> tuple[Image, Image]:
        masks = faces.masks(crop.id)
        image = faces.image(crop.id)
        working = min(2 * size, image.shape[0])
        both = np.dstack([masks["eyes"], visible_face(image, masks)])
        points = transform(five_points(crop.landmarks), crop.matrix)
        matrix = align_matrix(points, working)
        return warp(image, matrix, working), warp(both, matrix, working)

    with ThreadPoolExecutor(4) as pool:
        pairs = list(pool.map(read, crops))
    return Pictures(np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs]), pose_weights(crops))


def pose_weights(crops: Sequence[Crop]) -> NDArray[np.float64]:
    """Probabilities ``(N,)`` under which every pose bin that a set has is drawn more evenly.

    A bin's share is the square root of its count: a rare profile is not drowned, nor is a single blurred crop drawn
    in every batch.
    """
    bins = np.array([[round(crop.yaw / POSE_BIN), round(crop.pitch / POSE_BIN)] for crop in crops])
    _, index, counts = np.unique(bins, axis=0, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = 1 / np.sqrt(counts[index.reshape(-1)])
    return weights / float(weights.sum())


class Batches(Dataset[Batch]):
    """``batches[iteration]`` is that iteration's :class:`Batch`."""

    def __init__(self, pictures: dict[str, Pictures], recipe: Recipe, seed: int, ranks: Ranks = ALONE) -> None:
        self.pictures = pictures
        self.recipe = recipe
        self.size = ranks.share(recipe.batch)
        self.seed = [ranks.rank, seed] if ranks.rank else [seed]

    def __getitem__(self, iteration: int) -> Batch:
        # One thread a worker: OpenCV's own pool costs more than it gives on pictures this small.
        cv2.setNumThreads(0)
        rng = np.random.default_rng([*self.seed, iteration])
        faces = {person: self._faces(person, rng) for person in PERSONS}
        return Batch(faces, float(rng.beta(0.2, 0.2)))

    def _faces(self, person: str, rng: np.random.Generator) -> Faces:
        pictures = self.pictures[person]
        chosen = rng.choice(len(pictures.images), self.size, p=pictures.weights)
        samples = [self._sample(pictures, int(index), rng) for index in chosen]
        masks = np.stack([sample.masks for sample in samples])
        return Faces(
            _signed([sample.warped for sample in samples]),
            _signed([sample.target for sample in samples]),
            torch.from_numpy(masks[:, None, :, :, 0]).float() / 255,
            torch.from_numpy(masks[:, None, :, :, 1]).float() / 255,
        )

    def _sample(self, pictures: Pictures, index: int, rng: np.random.Generator) -> augment.Sample:
        recipe = self.recipe
        colours_of = None
        if rng.random() < recipe.colour_match:
            other = self.pictures[PERSONS[int(rng.integers(2))]].images
            colours_of = other[int(rng.integers(len(other)))]
        sample = augment.sample(
            pictures.images[index],
            pictures.masks[index],
            colours_of,
            recipe.model.size,
            recipe.model.coverage,
            placement=recipe.placement,
            flip=recipe.flip,
            warp_sigma=recipe.warp_sigma,
            rng=rng,
        )
        warped = sample.warped
        if rng.random() < recipe.noise:
            warped = augment.add_noise(warped, rng)
        if rng.random() < recipe.blur:
            warped = augment.motion_blur(warped, rng)
        return augment.Sample(warped, sample.target, sample.masks)


def _signed(images: list[Image]) -> Tensor:
    """uint8 ``(H, W, 3)`` pictures → ``(B, 3, H, W)`` in [-1, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1

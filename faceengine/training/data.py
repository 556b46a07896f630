"""Batches: which crops an iteration sees, and how they are prepared.

Everything random of iteration *i* comes from the seed, *i* and, with several ranks, the rank's number alone. So any
number of worker processes gives the same batches, and a resumed run sees exactly what an undisturbed one would have
seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from faceengine.networks.model import PERSONS
from faceengine.training import augment
from faceengine.training.config import Recipe
from faceengine.training.ranks import ALONE, Ranks
from faceengine.training.schedule import phase
from faceengine.training.visible import visible_face

MASKS = ("eyes", "mouth", "brows", "face")
"""The masks that losses weigh by; ``face`` is the visible face, without hair or hands in front of it."""

POSE_BIN = 15
"""Degrees of yaw and pitch that share a bin of the balanced sampling."""


@dataclass(frozen=True)
class Faces:
    """One side of a batch: ``warped``, ``target`` ``(B, 3, S, S)`` in [-1, 1]; :data:`MASKS` ``(B, 1, S, S)`` in
    [0, 1] by name."""

    warped: Tensor
    target: Tensor
    masks: dict[str, Tensor]

    def to(self, device: torch.device) -> Faces:
        return self._each(lambda part: part.to(device, non_blocking=True))

    def pin_memory(self) -> Faces:
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Faces:
        masks = {name: change(mask) for name, mask in self.masks.items()}
        return Faces(change(self.warped), change(self.target), masks)


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
    """A person's crops at working size, in memory: ``images (N, W, W, 3)``, ``masks (N, W, W, 4)`` as :data:`MASKS`."""

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
        masks["face"] = visible_face(image, masks)
        stack = np.dstack([masks[name] for name in MASKS])
        points = transform(five_points(crop.landmarks), crop.matrix)
        matrix = align_matrix(points, working)
        return warp(image, matrix, working), warp(stack, matrix, working)

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
        # Shared with the worker processes: of a run that fits into minutes the length is known only as it goes on.
        self.total = torch.tensor(recipe.iterations).share_memory_()
        self.size = ranks.share(recipe.batch)
        self.seed = [ranks.rank, seed] if ranks.rank else [seed]

    def __getitem__(self, iteration: int) -> Batch:
        # One thread a worker: OpenCV's own pool costs more than it gives on pictures this small.
        cv2.setNumThreads(0)
        rng = np.random.default_rng([*self.seed, iteration])
        bend = phase(iteration, int(self.total), self.recipe).warp
        faces = {person: self._faces(person, bend, rng) for person in PERSONS}
        return Batch(faces, float(rng.beta(0.2, 0.2)))

    def _faces(self, person: str, bend: bool, rng: np.random.Generator) -> Faces:
        pictures = self.pictures[person]
        chosen = rng.choice(len(pictures.images), self.size, p=pictures.weights)
        samples = [self._sample(pictures, int(index), bend, rng) for index in chosen]
        masks = torch.from_numpy(np.stack([sample.masks for sample in samples])).float() / 255
        return Faces(
            _signed([sample.warped for sample in samples]),
            _signed([sample.target for sample in samples]),
            {name: masks[:, None, :, :, number] for number, name in enumerate(MASKS)},
        )

    def _sample(self, pictures: Pictures, index: int, bend: bool, rng: np.random.Generator) -> augment.Sample:
        recipe = self.recipe
        crop = pictures.images[index]
        colours_of = None
        if rng.random() < recipe.colour_match:
            other = self.pictures[PERSONS[int(rng.integers(2))]].images
            colours_of = other[int(rng.integers(len(other)))]
        if rng.random() < recipe.relight:
            crop = augment.relight(crop, rng)
        sample = augment.sample(
            crop,
            pictures.masks[index],
            colours_of,
            recipe.model.size,
            recipe.model.coverage,
            placement=recipe.placement,
            flip=recipe.flip,
            warp_sigma=recipe.warp_sigma if bend else 0.0,
            rng=rng,
        )
        warped = sample.warped
        if rng.random() < recipe.noise:
            warped = augment.add_noise(warped, rng)
        if rng.random() < recipe.blur:
            warped = augment.motion_blur(warped, rng)
        if rng.random() < recipe.degrade:
            warped = augment.degrade(warped, rng)
        return augment.Sample(warped, sample.target, sample.masks)


def _signed(images: list[Image]) -> Tensor:
    """uint8 ``(H, W, 3)`` pictures → ``(B, 3, H, W)`` in [-1, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1

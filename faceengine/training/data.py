"""Batches: which crops an iteration sees, and how they are prepared.

Everything random of iteration *i* comes from the seed, *i* and, with several ranks, the rank's number alone. So any
number of worker processes gives the same batches, and a resumed run sees exactly what an undisturbed one would have
seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from faceengine.errors import InputError
from faceengine.geometry import Image
from faceengine.networks.model import PERSONS
from faceengine.training import augment
from faceengine.training.config import Recipe
from faceengine.training.pictures import MASKS, Pictures
from faceengine.training.ranks import ALONE, Ranks
from faceengine.training.schedule import phase


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


class Batches(Dataset[Batch | InputError]):
    """``batches[iteration]`` is that iteration's :class:`Batch`, or the :class:`InputError` of a picture that can't be
    read: raised in a worker process it would lose its code on the way."""

    def __init__(self, pictures: dict[str, Pictures], recipe: Recipe, seed: int, ranks: Ranks = ALONE) -> None:
        self.pictures = pictures
        self.recipe = recipe
        # Shared with the worker processes: of a run that fits into minutes the length is known only as it goes on.
        self.total = torch.tensor(recipe.iterations).share_memory_()  # type: ignore[no-untyped-call]
        self.size = ranks.share(recipe.batch)
        self.seed = [ranks.rank, seed] if ranks.rank else [seed]

    def __getitem__(self, iteration: int) -> Batch | InputError:
        try:
            return self._batch(iteration)
        except InputError as error:
            return error

    def _batch(self, iteration: int) -> Batch:
        # One thread a worker: OpenCV's own pool costs more than it gives on pictures this small.
        cv2.setNumThreads(0)
        rng = np.random.default_rng([*self.seed, iteration])
        bend = phase(iteration, int(self.total), self.recipe).warp
        faces = {person: self._faces(person, bend, rng) for person in PERSONS}
        return Batch(faces, float(rng.beta(0.2, 0.2)))

    def _faces(self, person: str, bend: bool, rng: np.random.Generator) -> Faces:
        pictures = self.pictures[person]
        chosen = rng.choice(len(pictures), self.size, p=pictures.weights)
        samples = [self._sample(pictures, int(index), bend, rng) for index in chosen]
        return faces_of(samples)

    def _sample(self, pictures: Pictures, index: int, bend: bool, rng: np.random.Generator) -> augment.Sample:
        recipe = self.recipe
        crop, masks = pictures[index]
        colours_of = None
        if rng.random() < recipe.colour_match:
            other = self.pictures[PERSONS[int(rng.integers(2))]]
            colours_of = other.image(int(rng.integers(len(other))))
        if rng.random() < recipe.relight:
            crop = augment.relight(crop, rng)
        sample = augment.sample(
            crop,
            masks,
            colours_of,
            recipe.model.size,
            recipe.model.coverage,
            placement=recipe.placement,
            flip=recipe.flip,
            warp_sigma=recipe.warp_sigma if bend else 0.0,
            rng=rng,
        )
        return augment.Sample(recorded(sample.warped, recipe, rng), sample.target, sample.masks)


def recorded(image: Image, recipe: Recipe, rng: np.random.Generator) -> Image:
    """Return an input as a worse camera might have recorded it; targets stay as they are."""
    changes = ((recipe.noise, augment.add_noise), (recipe.blur, augment.motion_blur), (recipe.degrade, augment.degrade))
    for share, change in changes:
        if rng.random() < share:
            image = change(image, rng)
    return image


def faces_of(samples: list[augment.Sample]) -> Faces:
    """Return samples as one side of a batch."""
    masks = torch.from_numpy(np.stack([sample.masks for sample in samples])).float() / 255
    return Faces(
        signed([sample.warped for sample in samples]),
        signed([sample.target for sample in samples]),
        {name: masks[:, None, :, :, number] for number, name in enumerate(MASKS)},
    )


def signed(images: list[Image]) -> Tensor:
    """uint8 ``(H, W, 3)`` pictures → ``(B, 3, H, W)`` in [-1, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1

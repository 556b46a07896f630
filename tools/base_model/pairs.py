"""Batches for pretraining: a crop of person p, and as its target the crop of person q in the same scene."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from faceengine.geometry import Image
from faceengine.networks.model import PERSONS
from faceengine.training import augment
from faceengine.training.config import Recipe
from faceengine.training.data import Batch, Faces, faces_of, recorded
from tools.synthetic_faces.shards import Shard, shards

HELD_OUT_EVERY = 8
"""Of every so many groups one keeps its last person for judging: nobody is trained on that person's crops."""


@dataclass(frozen=True)
class PairedBatch(Batch):
    """A batch, and the people who are to be drawn: numbers ``(B,)`` for each half."""

    who: dict[str, Tensor]

    def to(self, device: torch.device) -> PairedBatch:
        moved = super().to(device)
        return PairedBatch(moved.faces, moved.mix, {half: who.to(device) for half, who in self.who.items()})

    def pin_memory(self) -> PairedBatch:
        pinned = super().pin_memory()
        return PairedBatch(pinned.faces, pinned.mix, {half: who.pin_memory() for half, who in self.who.items()})


class People:
    """The shards of a folder, in memory. People are numbered through all groups."""

    def __init__(self, folder: Path) -> None:
        # Up to the first that is missing: people keep their numbers when more are rendered.
        finished = takewhile(lambda one: one[1].stem.endswith(f"{one[0]:04d}"), enumerate(shards(folder)))
        self.groups = [Shard(file) for _, file in finished]
        if not self.groups:
            raise FileNotFoundError(f"{folder} holds no finished group of synthetic people: make synthetic-faces")
        self.first = np.cumsum([0] + [group.people for group in self.groups])
        """Number of each group's first person, and at the end the number of all people."""

    def __len__(self) -> int:
        return int(self.first[-1])

    def held_out(self, group: int) -> int | None:
        """Return the person of a group whom training leaves out, if it has one."""
        return self.groups[group].people - 1 if group % HELD_OUT_EVERY == 0 else None

    def trained(self, group: int) -> int:
        """Return how many people of a group are trained on: the first ones."""
        return int(self.groups[group].people) - (group % HELD_OUT_EVERY == 0)

    @property
    def all_trained(self) -> list[int]:
        """Return the numbers of all people who are trained on."""
        groups = range(len(self.groups))
        return [int(self.first[group]) + person for group in groups for person in range(self.trained(group))]

    def crop(self, group: int, person: int, scene: int) -> tuple[Image, Image]:
        """Return a crop ``(S, S, 3)`` and its masks ``(S / 2, S / 2, 4)``, as :class:`Pictures` has them."""
        shard = self.groups[group]
        image, labels = shard.image(person, scene), shard.labels(person, scene)
        return image, cv2.resize(labels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


class Pairs(Dataset[PairedBatch]):
    """``pairs[iteration]``, a function of the seed and the iteration alone, as :class:`Batches` is for two people.

    ``swap``: how often q is somebody else than p.
    """

    def __init__(self, people: People, recipe: Recipe, swap: float, seed: int) -> None:
        self.people, self.recipe, self.swap, self.seed = people, recipe, swap, seed

    def __getitem__(self, iteration: int) -> PairedBatch:
        cv2.setNumThreads(0)
        rng = np.random.default_rng([self.seed, iteration])
        halves = {half: self._half(rng) for half in PERSONS}
        faces = {half: one for half, (one, _) in halves.items()}
        return PairedBatch(faces, float(rng.beta(0.2, 0.2)), {half: who for half, (_, who) in halves.items()})

    def _half(self, rng: np.random.Generator) -> tuple[Faces, Tensor]:
        drawn = [self._pair(rng) for _ in range(self.recipe.batch)]
        return faces_of([sample for sample, _ in drawn]), torch.tensor([who for _, who in drawn])

    def _pair(self, rng: np.random.Generator) -> tuple[augment.Sample, int]:
        """Return p's changed crop with q's as the target, and q's number."""
        group = int(rng.integers(len(self.people.groups)))
        p = q = int(rng.integers(self.people.trained(group)))
        if rng.random() < self.swap:
            q = int(rng.integers(self.people.trained(group)))
        scene = int(rng.integers(self.people.groups[group].crops))
        seed = int(rng.integers(1 << 62))
        shown = self._sample(group, p, scene, seed)
        wanted = shown if q == p else self._sample(group, q, scene, seed)
        warped = recorded(shown.warped, self.recipe, rng)
        return augment.Sample(warped, wanted.target, wanted.masks), int(self.people.first[group]) + q

    def _sample(self, group: int, person: int, scene: int, seed: int) -> augment.Sample:
        """Light, placement and warp come from the seed, so that they are the same for p and q."""
        rng, recipe = np.random.default_rng(seed), self.recipe
        crop, masks = self.people.crop(group, person, scene)
        if rng.random() < recipe.relight:
            crop = augment.relight(crop, rng)
        return augment.sample(
            crop,
            masks,
            None,
            recipe.model.size,
            recipe.model.coverage,
            placement=recipe.placement,
            flip=recipe.flip,
            warp_sigma=recipe.warp_sigma,
            rng=rng,
        )

"""The schedule: what is on at which iteration. A pure function, so that a resume can't skip or repeat a phase."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from faceengine.training.config import Recipe


@dataclass(frozen=True)
class Phase:
    """What holds at one iteration."""

    learning_rate: float
    """Factor on the recipe's learning rates."""
    adversarial: bool = True
    perceptual: bool = False
    hinge: float | None = None
    """What alpha should reach; ``None``: it is kept small instead."""
    warp: bool = True
    """Whether inputs are warped."""
    exchanged: bool = False
    """Whether the decoders of A and B have changed places (each goes on from what the other learned)."""


def phase(iteration: int, total: int, recipe: Recipe) -> Phase:
    """The phase of ``iteration`` (from 0) in a schedule of ``total`` iterations."""
    warm = min(1.0, (iteration + 1) / recipe.warm_up) if recipe.warm_up else 1.0
    share = iteration / total
    adversarial = recipe.adversarial > 0 and share >= recipe.adversarial_from
    warp = share <= recipe.warp_until
    if recipe.original_phases:
        original = _original(iteration, total)
        return replace(original, learning_rate=original.learning_rate * warm, adversarial=adversarial, warp=warp)
    cosine = 0.505 + 0.495 * math.cos(math.pi * min(share, 1.0))
    return Phase(cosine * warm, adversarial, perceptual=share >= 0.2, warp=warp)


def _original(iteration: int, total: int) -> Phase:
    """faceswap-GAN v2.2's phases in whole thirtieths of the schedule, compared without rounding."""
    thirtieths = iteration * 30
    if thirtieths < 6 * total:
        return Phase(1.0)
    if thirtieths < 9 * total:
        return Phase(1.0, perceptual=True)
    if thirtieths < 12 * total:
        return Phase(1.0, perceptual=True, hinge=0.5)
    if thirtieths < 15 * total:
        return Phase(1.0, perceptual=True, hinge=0.2)
    if thirtieths < 20 * total:
        return Phase(1.0, perceptual=True, hinge=0.4)
    if thirtieths < 24 * total:
        return Phase(0.3, perceptual=True)
    if thirtieths < 27 * total:
        return Phase(0.3, perceptual=True, hinge=0.1, exchanged=True)
    return Phase(0.1, perceptual=True, exchanged=True)

"""One iteration: update the discriminators with the generator fixed, then the generator with them fixed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from faceengine.networks.model import PERSONS, Decoded, Discriminators, Generator
from faceengine.training import losses
from faceengine.training.config import Recipe
from faceengine.training.data import Batch, Faces
from faceengine.training.perceptual import Perceptual
from faceengine.training.ranks import ALONE, Ranks
from faceengine.training.schedule import Phase
from faceengine.training.side_by_side import SideBySide

OTHER = {"a": "b", "b": "a"}

Values = dict[str, Tensor]
"""Losses by name, detached, before their weights."""


@dataclass(frozen=True)
class Trainer:
    """The networks and optimisers of a run, and what they are trained for."""

    generator: Generator
    discriminators: Discriminators
    optimise_generator: torch.optim.Optimizer
    optimise_discriminators: torch.optim.Optimizer
    recipe: Recipe
    precision: torch.dtype
    side_by_side: SideBySide
    perceptual: Perceptual | None = None
    ranks: Ranks = ALONE

    @property
    def device(self) -> torch.device:
        return next(self.generator.parameters()).device

    def step(self, batch: Batch, phase: Phase) -> Values:
        """Train on one batch. Returns ``a.reconstruction`` and its like, see :func:`generator_losses`."""
        self._set_learning_rates(phase)
        batch = self._without_backgrounds(batch)
        self.optimise_generator.zero_grad(set_to_none=True)
        # The generator runs once: the discriminators learn from its pictures cut off from their graph, and do not
        # change them. The original ran it a second time for the same numbers.
        drawn = self.side_by_side(lambda person: self._draw(person, batch.faces[person].warped, phase))
        values: Values = {}
        if phase.adversarial:
            self.optimise_discriminators.zero_grad(set_to_none=True)
            judged = self.side_by_side(lambda person: self._discriminate(person, batch, drawn[person]))
            self.ranks.average_gradients(self.discriminators)
            self.optimise_discriminators.step()
            values |= {f"{person}.discrimination": loss for person, loss in judged.items()}
        with frozen(self.discriminators):
            learned = self.side_by_side(lambda person: self._generate(person, batch, drawn[person], phase))
        self.ranks.average_gradients(self.generator)
        self.optimise_generator.step()
        return values | {f"{person}.{name}": loss for person in PERSONS for name, loss in learned[person].items()}

    def _without_backgrounds(self, batch: Batch) -> Batch:
        keep = self.recipe.background
        if keep == 1:
            return batch
        faces = {
            person: replace(one, target=losses.without_background(one.target, one.masks["face"], keep))
            for person, one in batch.faces.items()
        }
        return replace(batch, faces=faces)

    def _draw(self, person: str, warped: Tensor, phase: Phase) -> Decoded:
        """The person's warped faces through the encoder and the person's own decoder."""
        with self.autocast():
            return self.generator.decode(self.generator.encode(warped), decoder_of(person, phase))

    def _discriminate(self, person: str, batch: Batch, decoded: Decoded) -> Tensor:
        """Gradients of the person's discriminator; its loss."""
        faces = batch.faces[person]
        with self.autocast():
            fakes = self.judged(decoded, faces.warped).detach()
            times = len(fakes) // len(faces.warped)
            mixed = batch.mix * faces.target.repeat(times, 1, 1, 1) + (1 - batch.mix) * fakes
            patches = self.discriminators[person](mixed, faces.warped.repeat(times, 1, 1, 1))
        loss = times * losses.discrimination(patches, batch.mix)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _generate(self, person: str, batch: Batch, decoded: Decoded, phase: Phase) -> Values:
        """Gradients of the encoder and the person's decoder; every loss by name."""
        with self.autocast():
            found = list(generator_losses(self, person, batch, decoded, phase))
        total = torch.stack([weight * loss for _, weight, loss in found]).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return {name: loss.detach() for name, _, loss in found}

    def judged(self, decoded: Decoded, warped: Tensor) -> Tensor:
        """The pictures that the discriminator sees, ``(B or 2·B, 3, S, S)``.

        The original judges the masked and the raw picture, since nothing else teaches alpha; here both go through as
        one batch. An alpha that is taught the face mask leaves only the raw picture to be judged, at half the cost.
        """
        if self.recipe.alpha_face:
            return decoded.colour
        return torch.cat([decoded.masked(warped), decoded.colour])

    def _set_learning_rates(self, phase: Phase) -> None:
        base = self.recipe.learning_rate
        for optimiser, rate in ((self.optimise_generator, base), (self.optimise_discriminators, 2 * base)):
            for group in optimiser.param_groups:
                group["lr"] = rate * phase.learning_rate * group["factor"]

    def autocast(self) -> torch.autocast:
        """The context in which the networks compute in the run's precision."""
        # Without the cache of converted weights: each is used once, and two threads would share it.
        enabled = self.precision is not torch.float32
        return torch.autocast(self.device.type, self.precision, enabled=enabled, cache_enabled=False)


def decoder_of(person: str, phase: Phase) -> str:
    """Whose decoder draws ``person`` in this phase."""
    return OTHER[person] if phase.exchanged else person


def generator_losses(
    trainer: Trainer, person: str, batch: Batch, decoded: Decoded, phase: Phase
) -> Iterator[tuple[str, float, Tensor]]:
    """Name, weight and value of every loss of one person's decoder that is on in this phase."""
    recipe, faces = trainer.recipe, batch.faces[person]
    colour, target, alpha = decoded.colour.float(), faces.target, decoded.alpha.float()
    errors = losses.Errors.of(colour, target)
    smaller = sum((losses.auxiliary(small.float(), target) for small in decoded.auxiliary), colour.new_zeros(()))
    yield "reconstruction", recipe.reconstruction, losses.inside(errors.pixels) + smaller
    for name, weight in (("eyes", recipe.eyes), ("mouth", recipe.mouth), ("brows", recipe.brows)):
        if weight:
            yield name, weight, losses.inside(errors.pixels, faces.masks[name])
            yield f"edge_{name}", weight, losses.inside(errors.edges, faces.masks[name])
    if recipe.edge:
        yield "edge", recipe.edge, losses.inside(errors.edges)
    if recipe.face:
        yield "face", recipe.face, losses.inside(errors.pixels, faces.masks["face"])
    if recipe.dssim:
        yield "dssim", recipe.dssim, losses.dissimilarity(colour, target, faces.masks["face"])
    if recipe.alpha:
        yield "alpha", recipe.alpha, losses.alpha_size(alpha, phase.hinge)
    if recipe.alpha_smooth:
        yield "alpha_smooth", recipe.alpha_smooth, losses.total_variation(alpha)
    if recipe.alpha_face:
        yield "alpha_face", recipe.alpha_face, (alpha - faces.masks["face"]).abs().mean()
    if phase.adversarial:
        judged = trainer.judged(decoded, faces.warped)
        times = len(judged) // len(faces.warped)
        patches = trainer.discriminators[person](judged, faces.warped.repeat(times, 1, 1, 1))
        yield "adversarial", recipe.adversarial, times * losses.adversarial(patches)
    if phase.perceptual and trainer.perceptual is not None:
        mixed = batch.mix * colour + (1 - batch.mix) * (alpha * colour + (1 - alpha) * faces.warped)
        yield "perceptual", recipe.perceptual, trainer.perceptual(mixed, target)
    if recipe.cycle:
        yield "cycle", recipe.cycle, _cycle(trainer.generator, person, faces, phase)


def _cycle(generator: Generator, person: str, faces: Faces, phase: Phase) -> Tensor:
    """The person's faces drawn as the other person and back again."""
    there = generator.decode(generator.encode(faces.target), decoder_of(OTHER[person], phase))
    swapped = there.masked(faces.target)
    back = generator.decode(generator.encode(swapped), decoder_of(person, phase))
    returned = back.masked(swapped)
    return losses.cycle(faces.target, returned.float(), there.alpha.float(), back.alpha.float())


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """No gradients for ``module``'s parameters; they still flow through it."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)


def build_optimisers(
    generator: Generator, discriminators: Discriminators, recipe: Recipe
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Adam with betas 0.5 / 0.999 for each side, L2 only on the block convolutions' weights."""
    return _adam(generator, recipe.learning_rate, recipe), _adam(discriminators, 2 * recipe.learning_rate, recipe)


def _adam(module: nn.Module, rate: float, recipe: Recipe) -> torch.optim.Optimizer:
    groups: dict[str, list[Tensor]] = {"with_l2": [], "dense": [], "other": []}
    for name, parameter in module.named_parameters():
        groups[_kind(name, parameter)].append(parameter)
    settings = [
        # l2·Σw² has the gradient 2·l2·w; Adam's weight_decay adds weight_decay·w.
        {"params": groups["with_l2"], "weight_decay": 2 * recipe.l2, "factor": 1.0},
        # Adam moves every weight by the same amount, and an output of thousands of weights by thousands of them.
        {"params": groups["dense"], "weight_decay": 0.0, "factor": recipe.bottleneck_rate},
        {"params": groups["other"], "weight_decay": 0.0, "factor": 1.0},
    ]
    # Fused: one pass over the weights instead of a dozen; on 73 million parameters 0.07 s instead of 0.76 on two cores.
    return torch.optim.Adam([group for group in settings if group["params"]], lr=rate, betas=(0.5, 0.999), fused=True)


def _kind(name: str, parameter: Tensor) -> str:
    """``with_l2``: weights of the 3×3 and 4×4 convolutions of down, up and residual blocks; ``dense``: the bottleneck's
    matrices; ``other``: heads, attention, norms and biases."""
    if parameter.dim() == 4 and parameter.shape[-1] in (3, 4) and "head" not in name:
        return "with_l2"
    return "dense" if parameter.dim() == 2 else "other"

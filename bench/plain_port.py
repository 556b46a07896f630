"""The yardstick of training speed: faceswap-GAN carried over one to one, without any of our tuning.

Same networks, same losses, same numbers; but eager float32 in the default memory layout, attention as an explicit
softmax over all positions, the generator run once for the discriminators' update and once more for its own, each
person and each kind of picture by itself, and Adam as a loop over the weights.
"""

from __future__ import annotations

import torch
from torch import Tensor

from faceengine.networks import attention
from faceengine.networks.model import PERSONS, Decoded, Discriminators, Generator
from faceengine.training import losses
from faceengine.training.config import Recipe
from faceengine.training.data import Batch, Faces


def explicit_attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """As ``attention.attend``, with the (H·W)² matrix written out."""
    q, k, v = query.flatten(2), key.flatten(2), value.flatten(2)
    shares = torch.softmax(q.transpose(1, 2) @ k, dim=-1)
    return (v @ shares.transpose(1, 2)).reshape(value.shape)


class PlainTrainer:
    """The plain way of ``Trainer.step`` in the schedule's first phase. Takes over the weights it is given."""

    def __init__(self, generator: Generator, discriminators: Discriminators, recipe: Recipe) -> None:
        self.generator = generator.to(memory_format=torch.contiguous_format)
        self.discriminators = discriminators.to(memory_format=torch.contiguous_format)
        self.recipe = recipe
        self.optimise_generator = self._adam(generator, recipe.learning_rate)
        self.optimise_discriminators = self._adam(discriminators, 2 * recipe.learning_rate)

    @staticmethod
    def _adam(module: torch.nn.Module, rate: float) -> torch.optim.Adam:
        return torch.optim.Adam(module.parameters(), lr=rate, betas=(0.5, 0.999), foreach=False, fused=False)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """One iteration; the losses by name."""
        fused, attention.attend = attention.attend, explicit_attend
        try:
            return self._train_discriminators(batch) | self._train_generator(batch)
        finally:
            attention.attend = fused

    def _draw(self, person: str, faces: Faces) -> Decoded:
        decoded: Decoded = self.generator.decoders[person](self.generator.encoder(faces.warped))
        return decoded

    def _train_discriminators(self, batch: Batch) -> dict[str, Tensor]:
        values = {}
        self.optimise_discriminators.zero_grad()
        for person in PERSONS:
            faces = batch.faces[person]
            decoded = self._draw(person, faces)
            loss = torch.zeros(())
            for fake in (decoded.masked(faces.warped).detach(), decoded.colour.detach()):
                mixed = batch.mix * faces.target + (1 - batch.mix) * fake
                loss = loss + losses.discrimination(self.discriminators[person](mixed, faces.warped), batch.mix)
            loss.backward()  # type: ignore[no-untyped-call]
            values[f"{person}.discrimination"] = loss.detach()
        self.optimise_discriminators.step()
        return values

    def _train_generator(self, batch: Batch) -> dict[str, Tensor]:
        values = {}
        self.optimise_generator.zero_grad()
        for person in PERSONS:
            faces = batch.faces[person]
            decoded = self._draw(person, faces)
            total = torch.zeros(())
            for name, weight, loss in self._generator_losses(person, faces, decoded):
                values[f"{person}.{name}"] = loss.detach()
                total = total + weight * loss
            total.backward()  # type: ignore[no-untyped-call]
        self.optimise_generator.step()
        return values

    def _generator_losses(self, person: str, faces: Faces, decoded: Decoded) -> list[tuple[str, float, Tensor]]:
        recipe, judge = self.recipe, self.discriminators[person]
        masked = losses.adversarial(judge(decoded.masked(faces.warped), faces.warped))
        raw = losses.adversarial(judge(decoded.colour, faces.warped))
        return [
            ("reconstruction", recipe.reconstruction, torch.nn.functional.l1_loss(decoded.colour, faces.target)),
            ("eyes", recipe.eyes, _inside(decoded.colour, faces.target, faces.masks["eyes"])),
            ("edge", recipe.edge, _edge(decoded.colour, faces.target)),
            ("edge_eyes", recipe.eyes, _edge(decoded.colour, faces.target, faces.masks["eyes"])),
            ("alpha", recipe.alpha, losses.alpha_size(decoded.alpha)),
            ("alpha_smooth", recipe.alpha_smooth, losses.total_variation(decoded.alpha)),
            ("adversarial", recipe.adversarial, masked + raw),
        ]


def _inside(drawn: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    return (mask * (drawn - target).abs()).mean()


def _edge(drawn: Tensor, target: Tensor, mask: Tensor | float = 1.0) -> Tensor:
    """L1 between first differences, in x plus in y, weighted by the mask at the first pixel of each."""
    difference = drawn - target
    across = mask[..., :-1] if isinstance(mask, Tensor) else mask
    down = mask[..., :-1, :] if isinstance(mask, Tensor) else mask
    return (across * difference.diff(dim=3).abs()).mean() + (down * difference.diff(dim=2).abs()).mean()

"""What every architecture gives to training, previews and conversion: a generator of two people, and discriminators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from faceengine.networks.blocks import initialise
from faceengine.networks.config import ModelConfig
from faceengine.networks.octave import Octaves
from faceengine.networks.registry import architecture

PERSONS = ("a", "b")


@dataclass(frozen=True)
class Decoded:
    """The output of a decoder. ``colour (B, 3, S, S)`` in [-1, 1]; ``alpha (B, 1, S, S)`` in [0, 1];
    ``auxiliary``: smaller colour pictures, smallest first, if the architecture has them."""

    colour: Tensor
    alpha: Tensor
    auxiliary: list[Tensor]

    def masked(self, image: Tensor) -> Tensor:
        """alpha · colour + (1 - alpha) · ``image`` ``(B, 3, S, S)``: the face inside the picture it came from."""
        return self.alpha * self.colour + (1 - self.alpha) * image


def swap_alpha(own: Decoded, other: Decoded) -> Tensor:
    """What of the other person's picture belongs over the source: where the source and the picture both show face.

    ``own`` is the source drawn by its own decoder: its alpha leaves out the hair in front of the source's face, which
    the other decoder can't know of.
    """
    return torch.minimum(own.alpha, other.alpha)


class Swappable(Protocol):
    """All that training, previews and conversion know of a network: an image goes into a code, a code to a face."""

    config: ModelConfig

    def encode(self, image: Tensor) -> Octaves:
        """``(B, 3, S, S)`` in [-1, 1] → the code of pose, expression and light; its shape is the architecture's."""
        ...

    def decode(self, code: Octaves, person: str) -> Decoded:
        """The face of ``person`` (``a`` or ``b``) that the code describes."""
        ...


class Generator(nn.Module):
    """The part that conversion needs: the shared encoder and the decoders of A and B (``decoders["a"]``).

    Implements :class:`Swappable`. Raises :class:`ConfigError` for a size that the architecture does not have.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        parts = architecture(config)
        self.encoder: nn.Module = parts.Encoder(config)
        self.decoders = nn.ModuleDict({person: parts.Decoder(config) for person in PERSONS})
        initialise(self)
        parts.prepare(self)

    def encode(self, image: Tensor) -> Octaves:
        return self.encoder(image)  # type: ignore[no-any-return]

    def decode(self, code: Octaves, person: str) -> Decoded:
        return self.decoders[person](code)  # type: ignore[no-any-return]


class Discriminators(nn.ModuleDict):
    """The discriminators of A and B (``discriminators["a"]``); only training needs them."""

    def __init__(self, config: ModelConfig) -> None:
        parts = architecture(config)
        super().__init__({person: parts.Discriminator(config) for person in PERSONS})
        initialise(self)


def parameter_count(module: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(parameter.numel() for parameter in module.parameters())

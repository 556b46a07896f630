"""The whole model: one encoder, and for each person a decoder and a discriminator."""

from __future__ import annotations

from torch import nn

from faceengine.networks.blocks import initialise
from faceengine.networks.config import ModelConfig
from faceengine.networks.decoder import Decoder
from faceengine.networks.discriminator import Discriminator
from faceengine.networks.encoder import Encoder

PERSONS = ("a", "b")


class Generator(nn.Module):
    """The part that conversion needs: the shared encoder and the decoders of A and B (``decoders["a"]``)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoders = nn.ModuleDict({person: Decoder(config) for person in PERSONS})
        initialise(self)
        self.encoder.start_as_projection()


class Discriminators(nn.ModuleDict):
    """The discriminators of A and B (``discriminators["a"]``); only training needs them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__({person: Discriminator(config) for person in PERSONS})
        initialise(self)


def parameter_count(module: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(parameter.numel() for parameter in module.parameters())

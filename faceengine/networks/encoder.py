"""The encoder that both people share: what is said of a face, whoever's it is."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from faceengine.networks.attention import SelfAttention
from faceengine.networks.blocks import Down, UpNearest, UpShuffle
from faceengine.networks.config import ModelConfig
from faceengine.networks.octave import OctaveConv2d, Octaves


class Encoder(nn.Module):
    """``(B, 3, S, S)`` in [-1, 1] → ``(B, 512, 8, 8)`` (lite: 256) as :data:`Octaves`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        alpha = config.octave
        widths = config.encoder_widths
        self.first = OctaveConv2d(3, widths[0], 5, bias=False, alpha_out=alpha)
        layers: list[nn.Module] = []
        size = config.size
        for depth, (narrow, wide) in enumerate(pairwise(widths)):
            size //= 2
            # What the dense layers flatten has one resolution.
            alpha_out = 0.0 if depth == len(widths) - 2 else alpha
            layers.append(Down(narrow, wide, norm=depth > 0, alpha_in=alpha, alpha_out=alpha_out))
            if depth in (1, 2) and config.attends(size):
                layers.append(SelfAttention(wide, alpha))
        self.down = nn.Sequential(*layers)
        self.deepest = widths[-1]
        self.squeeze = nn.Linear(16 * self.deepest, config.latent)
        self.expand = nn.Linear(config.latent, 16 * self.deepest)
        up = UpNearest if config.lite else UpShuffle
        self.up = up(self.deepest, config.code_width, alpha_in=0.0, alpha_out=alpha)

    @torch.no_grad()
    def start_as_projection(self) -> None:
        """Let the bottleneck begin as a projection onto as many random directions as it is wide.

        What comes out then resembles what went in, place by place, and decoders have a picture to learn from before the
        two dense layers have found one another. With independent weights that took most of a short training.
        """
        self.expand.weight.copy_(self.squeeze.weight.T)

    def forward(self, image: Tensor) -> Octaves:
        deep, _ = self.down(self.first((image, None)))
        code = self.expand(self.squeeze(deep.flatten(1)))
        return self.up((code.unflatten(1, (self.deepest, 4, 4)), None))  # type: ignore[no-any-return]

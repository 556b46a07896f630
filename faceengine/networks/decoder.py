"""A decoder, one per person: the face that the code describes, drawn as that person."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from faceengine.networks.attention import SelfAttention
from faceengine.networks.blocks import Residual, UpNearest, UpShuffle, leaky
from faceengine.networks.config import ModelConfig
from faceengine.networks.octave import OctaveConv2d, Octaves, both


@dataclass(frozen=True)
class Decoded:
    """What a decoder draws. ``colour (B, 3, S, S)`` in [-1, 1]; ``alpha (B, 1, S, S)`` in [0, 1];
    ``auxiliary``: smaller colour pictures, smallest first, only at 128 and 256 px."""

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


class Decoder(nn.Module):
    """The encoder's code → :class:`Decoded`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        alpha = config.octave
        up = UpNearest if config.lite else UpShuffle
        wide, middle, narrow = config.decoder_widths
        layers: list[nn.Module] = [
            up(config.code_width, wide, alpha_in=alpha, alpha_out=alpha),
            up(wide, middle, alpha_in=alpha, alpha_out=alpha),
        ]
        if config.attends(32):
            layers.append(SelfAttention(middle, alpha))
        layers += [up(middle, narrow, alpha_in=alpha, alpha_out=alpha), Residual(narrow, alpha)]
        if config.attends(64):
            layers.append(SelfAttention(narrow, alpha))
        self.trunk = nn.Sequential(*layers)
        doublings = {64: 0, 128: 1, 256: 2}[config.size]
        self.doublings = nn.ModuleList(_Doubling(narrow, up, alpha) for _ in range(doublings))
        self.auxiliary = nn.ModuleList(OctaveConv2d(narrow, 3, 5, alpha_in=alpha) for _ in range(doublings))
        # Red, green, blue and alpha: two convolutions of so few channels would take twice as long as this one.
        self.head = OctaveConv2d(narrow, 4, 5, alpha_in=alpha)

    def forward(self, code: Octaves) -> Decoded:
        x: Octaves = self.trunk(code)
        auxiliary = []
        for head, doubling in zip(self.auxiliary, self.doublings, strict=True):
            auxiliary.append(torch.tanh(head(x)[0]))
            x = doubling(x)
        drawn = self.head(x)[0]
        return Decoded(torch.tanh(drawn[:, :3]), torch.sigmoid(drawn[:, 3:]), auxiliary)


class _Doubling(nn.Module):
    """One more doubling for 128 and 256 px: up, then a 3×3 convolution. ``(B, F, H, W) → (B, F, 2H, 2W)``."""

    def __init__(self, channels: int, up: type[UpNearest] | type[UpShuffle], alpha: float) -> None:
        super().__init__()
        self.up = up(channels, channels, alpha_in=alpha, alpha_out=alpha)
        self.conv = OctaveConv2d(channels, channels, 3, alpha_in=alpha, alpha_out=alpha)

    def forward(self, x: Octaves) -> Octaves:
        return both(leaky, self.conv(self.up(x)))

"""Networks for a small budget: 128 px and more at about the price of faceswap-GAN's 64.

The first convolution halves the picture and the last one draws four pixels at once (sub-pixel convolution, Shi et al.
2016, arXiv 1609.05158), so nothing is computed at full resolution. Eyes and mouth, which people look at and which are
a small part of a face, also pass through a small encoder of their own at the resolution of the input: crops are
aligned, so their windows are fixed. The mask comes from one channel at half resolution.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceengine.networks.attention import SelfAttention
from faceengine.networks.blocks import SLOPE, Down, Residual, UpNearest
from faceengine.networks.config import ModelConfig
from faceengine.networks.model import Decoded
from faceengine.networks.octave import OctaveConv2d, Octaves, low_channels

if TYPE_CHECKING:
    from faceengine.networks.model import Generator

WIDTHS = (64, 128, 256, 512, 512)
"""Channels of the encoder after the first convolution and each further halving; ``narrow`` divides them."""
WINDOWS = {"eyes": (0.18, 0.20, 0.44, 0.85), "mouth": (0.62, 0.26, 0.94, 0.78)}
"""Top, left, bottom and right edge, as shares of the crop (``geometry.CANONICAL`` has the points between)."""
GLANCE = 48
"""Numbers of the code for each window."""


def prepare(generator: Generator) -> None:
    """Let the bottleneck begin as a projection: what comes out of it then resembles what goes in, place by place."""
    encoder = generator.encoder
    assert isinstance(encoder, Encoder)
    with torch.no_grad():
        encoder.expand.weight[:, : encoder.squeeze.out_features].copy_(encoder.squeeze.weight.T)


def _widths(config: ModelConfig) -> list[int]:
    return [width // config.narrow for width in WIDTHS]


class Encoder(nn.Module):
    """``(B, 3, S, S)`` in [-1, 1] → ``(B, 512 / narrow, S / 16, S / 16)`` as :data:`Octaves`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        alpha, widths = config.octave, _widths(config)
        self.first = OctaveConv2d(3, widths[0], 5, stride=2, bias=False, alpha_out=alpha)
        layers: list[nn.Module] = []
        side = config.size // 2
        for depth, (narrow, wide) in enumerate(pairwise(widths)):
            side //= 2
            last = depth == len(widths) - 2  # what the dense layers flatten has one resolution
            layers.append(Down(narrow, wide, norm=depth > 0, alpha_in=alpha, alpha_out=0.0 if last else alpha))
            if side == config.size // 8 and config.attends(side):
                layers.append(SelfAttention(wide, alpha))
        self.down = nn.Sequential(*layers)
        self.deepest, self.side = widths[-1], side
        self.glances = nn.ModuleDict({name: Glance(config, window) for name, window in WINDOWS.items()})
        self.squeeze = nn.Linear(side * side * self.deepest, config.latent)
        self.expand = nn.Linear(config.latent + GLANCE * len(WINDOWS), side * side * self.deepest)
        self.up = UpNearest(self.deepest, widths[3], alpha_out=alpha)

    def forward(self, image: Tensor) -> Octaves:
        deep, _ = self.down(self.first((image, None)))
        code = [self.squeeze(deep.flatten(1)), *(glance(image) for glance in self.glances.values())]
        spread = self.expand(torch.cat(code, dim=1)).unflatten(1, (self.deepest, self.side, self.side))
        return self.up((spread, None))  # type: ignore[no-any-return]


class Glance(nn.Module):
    """A window of the input at its full resolution, in :data:`GLANCE` numbers: ``(B, 3, S, S) → (B, 48)``."""

    def __init__(self, config: ModelConfig, window: tuple[float, float, float, float]) -> None:
        super().__init__()
        top, left, bottom, right = (round(edge * config.size) for edge in window)
        self.rows, self.columns = slice(top, bottom), slice(left, right)
        layers: list[nn.Module] = []
        width, sides = 3, (bottom - top, right - left)
        for wider in (24, 48, 64):
            layers += [nn.Conv2d(width, wider, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE), nn.GroupNorm(1, wider)]
            width, sides = wider, (-(-sides[0] // 2), -(-sides[1] // 2))
        self.layers = nn.Sequential(*layers)
        self.squeeze = nn.Linear(width * sides[0] * sides[1], GLANCE)

    def forward(self, image: Tensor) -> Tensor:
        seen = self.layers(image[:, :, self.rows, self.columns])
        return self.squeeze(seen.flatten(1))  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """The encoder's code → :class:`Decoded`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        alpha, widths = config.octave, _widths(config)
        narrow = widths[0]
        layers: list[nn.Module] = []
        for wide, less in ((widths[3], widths[2]), (widths[2], widths[1])):
            layers.append(UpNearest(wide, less, alpha_in=alpha, alpha_out=alpha))
        if config.attends(config.size // 4):
            layers.append(SelfAttention(widths[1], alpha))
        layers += [UpNearest(widths[1], narrow, alpha_in=alpha, alpha_out=alpha), Residual(narrow, alpha)]
        self.trunk = nn.Sequential(*layers)
        self.head = OctaveConv2d(narrow, 4 * 3 + 1, 3, alpha_in=alpha)
        self.offset = Offset(widths[3] - low_channels(widths[3], alpha), config.size // 16)

    def forward(self, code: Octaves) -> Decoded:
        high, low = code
        drawn = self.head(self.trunk((self.offset(high), low)))[0]
        colour = torch.tanh(F.pixel_shuffle(drawn[:, :12], 2))
        alpha = F.interpolate(torch.sigmoid(drawn[:, 12:]), scale_factor=2.0, mode="bilinear", align_corners=False)
        return Decoded(colour, alpha, [])


class Offset(nn.Module):
    """What a person adds to any code ``(B, C, H, W)``: convolutions alone can't know where this face's features lie."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(1, channels, side, side))

    def forward(self, code: Tensor) -> Tensor:
        return code + self.value


class Discriminator(nn.Module):
    """``image`` and ``warped`` ``(B, 3, S, S)`` in [-1, 1] → patches ``(B, 1, S / 16, S / 16)``, 1 = real (LSGAN).

    A half as wide as faceswap-GAN's: beside this generator that one would take three times the generator's time.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, widest = 64 // config.narrow, 256 // config.narrow
        layers: list[nn.Module] = [nn.Conv2d(6, width, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
        for _ in range(3):
            wider = min(2 * width, widest)
            layers += [
                nn.Conv2d(width, wider, 4, stride=2, padding=1, bias=False),
                nn.LeakyReLU(SLOPE),
                nn.GroupNorm(1, wider),
            ]
            width = wider
        self.trunk = nn.Sequential(*layers)
        self.head = nn.Conv2d(width, 1, 3, padding=1, bias=False)

    def forward(self, image: Tensor, warped: Tensor) -> Tensor:
        return self.head(self.trunk(torch.cat([image, warped], dim=1)))  # type: ignore[no-any-return]

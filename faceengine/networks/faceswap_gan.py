"""faceswap-GAN v2.2: encoder, decoder and discriminator at 64, 128 and 256 px, plain or with octave convolutions."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceengine.networks.attention import SelfAttention
from faceengine.networks.blocks import SLOPE, Down, Residual, UpNearest, UpShuffle, leaky
from faceengine.networks.config import ModelConfig
from faceengine.networks.model import Decoded
from faceengine.networks.octave import OctaveConv2d, Octaves, both

if TYPE_CHECKING:
    from faceengine.networks.model import Generator


def prepare(generator: Generator) -> None:
    """Let the bottleneck begin as a projection, see :meth:`Encoder.start_as_projection`."""
    assert isinstance(generator.encoder, Encoder)
    generator.encoder.start_as_projection()


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


class Discriminator(nn.Module):
    """``image`` and ``warped`` ``(B, 3, S, S)`` in [-1, 1] → ``(B, 1, 8, 8)``, unbounded, 1 = real (LSGAN)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        alpha = config.octave
        width, widest = config.discriminator_widths
        layers: list[nn.Module] = [Down(6, width, kernel=4, slope=SLOPE, norm=False, alpha_out=alpha)]
        size = config.size // 2
        while size > 8:
            wider = min(2 * width, widest)
            layers.append(Down(width, wider, kernel=4, slope=SLOPE, alpha_in=alpha, alpha_out=alpha))
            size, width = size // 2, wider
            if width == widest and config.attends(size):
                layers.append(SelfAttention(width, alpha))
        self.trunk = nn.Sequential(*layers)
        self.head = OctaveConv2d(width, 1, 4, padding=0, bias=False, alpha_in=alpha)

    def forward(self, image: Tensor, warped: Tensor) -> Tensor:
        x = self.trunk((torch.cat([image, warped], dim=1), None))
        # An even kernel keeps 8×8 only with uneven borders; both octaves get the same.
        high, low = x
        padded = (F.pad(high, (1, 2, 1, 2)), None if low is None else F.pad(low, (1, 2, 1, 2)))
        patches, _ = self.head(padded)
        return patches  # type: ignore[no-any-return]

"""The building blocks of encoder, decoders and discriminators. All take and give :data:`Octaves`.

Sources: faceswap-GAN v2.2 for the layout; Wu & He 2018 (GroupNorm, one group = norm over C, H and W of one sample);
Shi et al. 2016 (PixelShuffle); Aitken et al. 2017 (ICNR, arXiv 1707.02937).
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceengine.networks.octave import OctaveConv2d, Octaves, both, low_channels

SLOPE = 0.2
"""Negative slope of every LeakyReLU."""

LARGE = 16
"""Side of a map from which :func:`enlarge_and_convolve` pays: below, adding up the weights takes longer."""

leaky = partial(F.leaky_relu, negative_slope=SLOPE)


class Norm(nn.Module):
    """Normalise each sample over its channels and positions, high and low part apart; learned scale and shift."""

    def __init__(self, channels: int, alpha: float = 0.0) -> None:
        super().__init__()
        low = low_channels(channels, alpha)
        self.high = nn.GroupNorm(1, channels - low)
        self.low = nn.GroupNorm(1, low) if low else None

    def forward(self, x: Octaves) -> Octaves:
        high, low = x
        return self.high(high), self.low(low) if self.low is not None and low is not None else None


class Down(nn.Module):
    """Half the resolution: ``kernel``² stride 2, no bias → (Leaky)ReLU → norm. ``(B, C, H, W) → (B, F, H/2, W/2)``."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        kernel: int = 3,
        slope: float = 0.0,
        norm: bool = True,
        alpha_in: float = 0.0,
        alpha_out: float = 0.0,
    ) -> None:
        super().__init__()
        self.slope = slope
        self.conv = OctaveConv2d(
            channels_in, channels_out, kernel, stride=2, padding=1, bias=False, alpha_in=alpha_in, alpha_out=alpha_out
        )
        self.norm = Norm(channels_out, alpha_out) if norm else None

    def forward(self, x: Octaves) -> Octaves:
        x = both(partial(F.leaky_relu, negative_slope=self.slope), self.conv(x))
        return self.norm(x) if self.norm is not None else x


class UpShuffle(nn.Module):
    """Twice the resolution (standard): 3×3 to 4·F → LeakyReLU → norm → shuffle. ``(B, C, H, W) → (B, F, 2H, 2W)``."""

    def __init__(self, channels_in: int, channels_out: int, *, alpha_in: float = 0.0, alpha_out: float = 0.0) -> None:
        super().__init__()
        # Low channels come in fours too, so that the shuffle divides them: round the share after the shuffle.
        share = low_channels(channels_out, alpha_out) / channels_out
        self.conv = OctaveConv2d(channels_in, 4 * channels_out, 3, alpha_in=alpha_in, alpha_out=share)
        self.norm = Norm(4 * channels_out, share)

    def forward(self, x: Octaves) -> Octaves:
        x = self.norm(both(leaky, self.conv(x)))
        return both(partial(F.pixel_shuffle, upscale_factor=2), x)


class UpNearest(nn.Module):
    """Twice the resolution (lite): nearest enlarge → 3×3 → LeakyReLU → norm. ``(B, C, H, W) → (B, F, 2H, 2W)``."""

    def __init__(self, channels_in: int, channels_out: int, *, alpha_in: float = 0.0, alpha_out: float = 0.0) -> None:
        super().__init__()
        self.conv = OctaveConv2d(channels_in, channels_out, 3, alpha_in=alpha_in, alpha_out=alpha_out)
        self.norm = Norm(channels_out, alpha_out)

    def forward(self, x: Octaves) -> Octaves:
        out: Octaves = self.norm(both(leaky, self._enlarged(x)))
        return out

    def _enlarged(self, x: Octaves) -> Octaves:
        high, low = x
        plain = self.conv.high_to_high
        if low is None and plain is not None and len(self.conv.paths) == 1 and high.shape[-1] >= LARGE:
            return enlarge_and_convolve(high, plain), None
        return self.conv(both(partial(F.interpolate, scale_factor=2.0, mode="nearest"), x))  # type: ignore[no-any-return]


def enlarge_and_convolve(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """The 3×3 ``conv`` of ``x`` enlarged to twice its size by repetition, ``(B, C, H, W) → (B, F, 2H, 2W)``.

    Each output pixel's nine weights fall on four different input pixels: a transposed 4×4 convolution of stride 2,
    whose weights are sums of the nine, does it with 4/9 of the multiplications.
    """
    once = conv.weight.flip(2, 3).transpose(0, 1)
    tall = F.pad(once, (0, 0, 0, 1)) + F.pad(once, (0, 0, 1, 0))
    return F.conv_transpose2d(x, F.pad(tall, (0, 1)) + F.pad(tall, (1, 0)), conv.bias, stride=2, padding=1)


class Residual(nn.Module):
    """Two 3×3 convolutions with LeakyReLU around a shortcut, no norm. Shape stays."""

    def __init__(self, channels: int, alpha: float = 0.0) -> None:
        super().__init__()
        self.first = OctaveConv2d(channels, channels, 3, alpha_in=alpha, alpha_out=alpha)
        self.second = OctaveConv2d(channels, channels, 3, alpha_in=alpha, alpha_out=alpha)

    def forward(self, x: Octaves) -> Octaves:
        high, low = self.second(both(leaky, self.first(x)))
        high = high + x[0]
        low = low + x[1] if low is not None and x[1] is not None else None
        return both(leaky, (high, low))


def initialise(module: nn.Module) -> None:
    """He-normal weights for every convolution, ICNR for those before a PixelShuffle, Xavier for dense, no biases."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, a=SLOPE)
        elif isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
        if isinstance(part, nn.Conv2d | nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
    for part in module.modules():
        if isinstance(part, UpShuffle):
            for conv in part.conv.paths:
                _icnr(conv.weight)


@torch.no_grad()
def _icnr(weight: Tensor) -> None:
    """The four sub-pixels of one output start equal, so that the shuffle starts as a nearest enlargement."""
    one = torch.empty_like(weight[::4])
    nn.init.kaiming_normal_(one, a=SLOPE)
    weight.copy_(one.repeat_interleave(4, dim=0))

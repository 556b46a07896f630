"""Octave convolution: part of the channels is kept and computed at half the resolution.

Chen et al. 2019, "Drop an Octave: Reducing Spatial Redundancy in Convolutional Neural Networks with Octave
Convolution", arXiv 1904.05049.

Feature maps travel as an :data:`Octaves` pair ``(high, low)``: ``(B, (1-alpha)·C, H, W)`` and
``(B, alpha·C, H/2, W/2)``. With alpha 0 there is no low part (``None``) and everything is plain convolution.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Octaves = tuple[Tensor, Tensor | None]


def low_channels(channels: int, alpha: float) -> int:
    """How many of ``channels`` are kept at half the resolution."""
    return round(channels * alpha)


def both(function: Callable[[Tensor], Tensor], x: Octaves) -> Octaves:
    """Apply the same function to the high and the low part."""
    high, low = x
    return function(high), None if low is None else function(low)


def merge(x: Octaves) -> Tensor:
    """``(B, C, H, W)`` with the low part repeated to full resolution behind the high part."""
    high, low = x
    return high if low is None else torch.cat([high, F.interpolate(low, scale_factor=2.0, mode="nearest")], dim=1)


def split(x: Tensor, channels_low: int) -> Octaves:
    """The inverse layout of :func:`merge`: the last ``channels_low`` channels averaged to half the resolution."""
    if channels_low == 0:
        return x, None
    return x[:, :-channels_low], F.avg_pool2d(x[:, -channels_low:], 2)


class OctaveConv2d(nn.Module):
    """A convolution with four paths: high→high, high→low (pooled first), low→high (enlarged after), low→low.

    Takes and gives :data:`Octaves`. ``alpha_in`` and ``alpha_out`` are the low shares of the input's and the output's
    channels: 0 for the first layer's input and the last layer's output. It has as many weights as the plain
    convolution and costs ``1 - ¾·alpha·(2 - alpha)`` of its multiplications when both shares are alpha.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int | None = None,
        bias: bool = True,
        alpha_in: float = 0.0,
        alpha_out: float = 0.0,
    ) -> None:
        super().__init__()
        low_in, low_out = low_channels(channels_in, alpha_in), low_channels(channels_out, alpha_out)
        high_in, high_out = channels_in - low_in, channels_out - low_out
        padding = kernel // 2 if padding is None else padding

        def path(c_in: int, c_out: int, with_bias: bool) -> nn.Conv2d | None:
            if c_in == 0 or c_out == 0:
                return None
            return nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=padding, bias=with_bias)

        # One bias an output channel: the path from the high part carries it.
        self.high_to_high = path(high_in, high_out, bias)
        self.high_to_low = path(high_in, low_out, bias)
        self.low_to_high = path(low_in, high_out, False)
        self.low_to_low = path(low_in, low_out, False)

    @property
    def paths(self) -> list[nn.Conv2d]:
        """The convolutions that exist for these shares."""
        found = (self.high_to_high, self.high_to_low, self.low_to_high, self.low_to_low)
        return [conv for conv in found if conv is not None]

    def forward(self, x: Octaves) -> Octaves:
        high, low = x
        assert self.high_to_high is not None  # alpha is below 1
        out_high: Tensor = self.high_to_high(high)
        if low is not None and self.low_to_high is not None:
            out_high = out_high + F.interpolate(self.low_to_high(low), scale_factor=2.0, mode="nearest")
        if self.high_to_low is None:
            return out_high, None
        out_low: Tensor = self.high_to_low(F.avg_pool2d(high, 2))
        if low is not None and self.low_to_low is not None:
            out_low = out_low + self.low_to_low(low)
        return out_high, out_low

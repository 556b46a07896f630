"""Self-attention over all positions of a feature map. Zhang et al. 2018 (SAGAN), arXiv 1805.08318."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceengine.networks.octave import Octaves, low_channels, merge, split


class SelfAttention(nn.Module):
    """``x + gain · attention(x)``; the learned gain starts at 0, so the block starts as the identity.

    Queries and keys have an eighth of the channels, values all of them; softmax without 1/√d, as in SAGAN.
    Takes and gives :data:`Octaves`: both parts attend together at full resolution.
    """

    def __init__(self, channels: int, alpha: float = 0.0) -> None:
        super().__init__()
        self.low = low_channels(channels, alpha)
        self.query = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.key = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Octaves) -> Octaves:
        merged = merge(x)
        attended = split(self.gain * attend(self.query(merged), self.key(merged), self.value(merged)), self.low)
        high, low = x
        return high + attended[0], None if low is None or attended[1] is None else low + attended[1]


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """``(B, C, H, W)``: for each position the values of all positions, weighted by softmax(query · key).

    ``query`` and ``key`` ``(B, D, H, W)`` with D ≤ C, ``value`` ``(B, C, H, W)``.
    """
    batch, channels, height, width = value.shape
    # The fused kernel never writes the (H·W)² matrix to memory (32 MB a sample at 64×64), but it wants equal widths:
    # zeros behind query and key leave their products as they are.
    q, k = (F.pad(_rows(part), (0, channels - part.shape[1])) for part in (query, key))
    out = F.scaled_dot_product_attention(q, k, _rows(value), scale=1.0)
    return out[:, 0].transpose(1, 2).reshape(batch, channels, height, width)


def _rows(x: Tensor) -> Tensor:
    """``(B, C, H, W)`` → ``(B, 1, H·W, C)``: one head, a row a position."""
    return x.flatten(2).transpose(1, 2).unsqueeze(1)

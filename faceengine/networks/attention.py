"""Self-attention over all positions of a feature map. Zhang et al. 2018 (SAGAN), arXiv 1805.08318."""

from __future__ import annotations

from typing import Any

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
    q, k, v = (_rows(part) for part in (query, key, value))
    if value.device.type == "cpu" and value.dtype is torch.bfloat16 and height * width >= LARGE:
        out: Tensor = _Stripes.apply(q, k, v)
    else:
        # The fused kernel never writes the (H·W)² matrix to memory (32 MB a sample at 64×64), but it wants equal
        # widths: zeros behind query and key leave their products as they are.
        q, k = (F.pad(part, (0, channels - part.shape[2])) for part in (q, k))
        out = F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None], scale=1.0)[:, 0]
    return out.transpose(1, 2).reshape(batch, channels, height, width)


def _rows(x: Tensor) -> Tensor:
    """``(B, C, H, W)`` → ``(B, H·W, C)``: a row a position."""
    return x.flatten(2).transpose(1, 2)


LARGE = 1024
"""Positions from which :class:`_Stripes` is faster than the fused kernel on a CPU."""
STRIPE = 128
"""Rows of the matrix that are worked on at once: they stay in the processor's cache."""


class _Stripes(torch.autograd.Function):
    """The same on a CPU in bfloat16: products by oneDNN, a stripe of rows at a time, each made again for the gradient.

    The fused kernel's products cost eight times what queries as narrow as these need, since it wants equal widths.
    At 64×64 with 64 values this takes 0.6 of its time, forward and backward (``docs/performance.md``).
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        out = torch.empty_like(value)
        with torch.autocast("cpu", enabled=False):
            for q, k, v, o in zip(query, key, value, out, strict=True):
                for begin in range(0, len(q), STRIPE):
                    rows = slice(begin, begin + STRIPE)
                    o[rows] = torch.softmax(q[rows] @ k.T, dim=-1) @ v
        ctx.save_for_backward(query, key, value)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = ctx.saved_tensors
        to_query = torch.empty_like(query)
        to_key, to_value = (torch.zeros(part.shape, dtype=torch.float32) for part in (key, value))
        with torch.autocast("cpu", enabled=False):
            for number, (q, k, v, g) in enumerate(zip(query, key, value, gradient, strict=True)):
                for begin in range(0, len(q), STRIPE):
                    rows = slice(begin, begin + STRIPE)
                    shares = torch.softmax(q[rows] @ k.T, dim=-1)
                    to_value[number] += shares.T @ g[rows]
                    to_products = torch._softmax_backward_data(g[rows] @ v.T, shares, -1, shares.dtype)
                    to_query[number, rows] = to_products @ k
                    to_key[number] += to_products.T @ q[rows]
        return to_query, to_key.to(key.dtype), to_value.to(value.dtype)

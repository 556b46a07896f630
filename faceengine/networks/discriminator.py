"""A discriminator, one per person: which patches of a picture are real, seen beside the input it was made from."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceengine.networks.attention import SelfAttention
from faceengine.networks.blocks import SLOPE, Down
from faceengine.networks.config import ModelConfig
from faceengine.networks.octave import OctaveConv2d


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

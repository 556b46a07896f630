"""One encoder and one decoder for many people: each person is a vector that sets the decoder's norms and offset.

Conditional normalisation as in Huang & Belongie 2017 (arXiv 1703.06868). People who share one decoder's convolutions
share what they know of faces; the mean of their vectors is a face of nobody that any person can start from.
"""

from __future__ import annotations

import threading

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceengine.networks.compact import Offset
from faceengine.networks.config import ModelConfig
from faceengine.networks.model import Decoded, Generator
from faceengine.networks.octave import Octaves

WIDTH = 64
"""Numbers of a person's vector."""

_drawn = threading.local()
"""The vectors ``(B, WIDTH)`` of the people whom this thread's decoder draws (both halves of a batch run at once)."""


class PersonNorm(nn.Module):
    """A norm over channels and positions whose scale and shift come from the person's vector."""

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.groups, self.eps = norm.num_groups, norm.eps
        self.affine = nn.Linear(WIDTH, 2 * norm.num_channels)
        nn.init.normal_(self.affine.weight, std=0.02)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor) -> Tensor:
        scale, shift = self.affine(_drawn.vectors).to(x.dtype)[:, :, None, None].chunk(2, dim=1)
        normed = F.group_norm(x, self.groups, eps=self.eps)
        return torch.addcmul(shift, normed, 1 + scale)

    def plain(self, vector: Tensor) -> dict[str, Tensor]:
        """Return the weights of the ordinary norm that draws the person with this vector ``(WIDTH,)``."""
        scale, shift = self.affine(vector).chunk(2)
        return {"weight": 1 + scale, "bias": shift}


class PersonOffset(nn.Module):
    """What the person adds to any code, from the person's vector."""

    def __init__(self, offset: Offset) -> None:
        super().__init__()
        self.shape = offset.value.shape[1:]
        self.affine = nn.Linear(WIDTH, self.shape.numel())
        nn.init.normal_(self.affine.weight, std=0.02)
        nn.init.zeros_(self.affine.bias)

    def forward(self, code: Tensor) -> Tensor:
        return torch.add(code, self.affine(_drawn.vectors).unflatten(1, self.shape).to(code.dtype))

    def plain(self, vector: Tensor) -> dict[str, Tensor]:
        """Return the weights of the ordinary offset, see :meth:`PersonNorm.plain`."""
        return {"value": self.affine(vector).view(1, *self.shape)}


class ManyPeople(Generator):
    """A generator whose only decoder draws whomever ``who`` names: ``who["a"]`` ``(B,)`` int64 for one half of a batch,
    ``who["b"]`` for the other, so that :class:`faceengine.training.step.Trainer` trains it as it trains two people."""

    def __init__(self, config: ModelConfig, people: int) -> None:
        super().__init__(config)
        decoder = self.decoders["a"]
        _condition(decoder)
        self.decoders = nn.ModuleDict({"all": decoder})
        self.vectors = nn.Embedding(people, WIDTH)
        self.who: dict[str, Tensor] = {}

    def decode(self, code: Octaves, person: str) -> Decoded:
        _drawn.vectors = self.vectors(self.who[person])
        return self.decoders["all"](code)  # type: ignore[no-any-return]

    @torch.no_grad()
    def export(self, people: list[int]) -> dict[str, Tensor]:
        """Return the weights of the shared encoder and of an ordinary decoder that draws the mean of ``people``: those
        who were trained on, since the vectors of the others still are what they were at the start."""
        vector = self.vectors.weight[people].mean(0)
        decoder = self.decoders["all"]
        state = {f"encoder.{name}": value for name, value in self.encoder.state_dict().items()}
        state |= {f"decoder.{name}": value for name, value in decoder.state_dict().items() if ".affine." not in name}
        for path, part in decoder.named_modules():
            if isinstance(part, PersonNorm | PersonOffset):
                state |= {f"decoder.{path}.{name}": value for name, value in part.plain(vector).items()}
        return state


def _condition(decoder: nn.Module) -> None:
    """Replace what makes a decoder one person's by modules that ask for the person's vector."""
    for parent in list(decoder.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.GroupNorm):
                setattr(parent, name, PersonNorm(child))
            elif isinstance(child, Offset):
                setattr(parent, name, PersonOffset(child))

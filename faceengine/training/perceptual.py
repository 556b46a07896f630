"""The perceptual loss: distance of features in a network that knows faces (VGGFace2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceengine import weights
from faceengine.embedding import load_facenet
from faceengine.training import losses

NETWORK = "facenet-vggface2"
"""Its name in ``faceengine.weights``."""

LAYERS = {"conv2d_2b": 0.1, "conv2d_4b": 0.3, "repeat_1": 0.1, "repeat_2": 0.01}
"""Layer of InceptionResnetV1, from shallow to deep, and its weight: the original's 0.1, 0.3, 0.1 and 0.01."""

INPUT = 160
"""Side of the pictures that the network was trained on."""


class Perceptual(nn.Module):
    """Feature distance of ``(B, 3, S, S)`` pictures in [-1, 1] to their targets, a number."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)

    def forward(self, drawn: Tensor, target: Tensor) -> Tensor:
        with torch.no_grad():
            theirs = self._features(target)
        return losses.feature_distance(self._features(drawn), theirs, list(LAYERS.values()))

    def _features(self, image: Tensor) -> list[Tensor]:
        x = F.interpolate(image, size=(INPUT, INPUT), mode="bilinear", align_corners=False)
        # The network expects (value - 127.5) / 128.
        x, kept = x * (127.5 / 128), []
        for name, layer in self.network.named_children():
            x = layer(x)
            if name in LAYERS:
                kept.append(x)
            if len(kept) == len(LAYERS):
                break
        return kept


def load_perceptual(device: torch.device) -> Perceptual | None:
    """The loss with its weights, or ``None`` where they are not there. Raises :class:`InputError` for damaged ones."""
    if weights.find(NETWORK) is None:
        return None
    return Perceptual(load_facenet(weights.require(NETWORK)).to(device))

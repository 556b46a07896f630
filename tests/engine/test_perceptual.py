"""The perceptual loss on the real network with random weights: its own are a download."""

from __future__ import annotations

import pytest
import torch
from facenet_pytorch import InceptionResnetV1

from faceengine.training.perceptual import LAYERS, Perceptual


@pytest.fixture(scope="module")
def perceptual() -> Perceptual:
    torch.manual_seed(0)
    return Perceptual(InceptionResnetV1(pretrained=None, classify=False))


def test_it_is_zero_for_equals_and_grows_with_the_difference(perceptual: Perceptual) -> None:
    torch.manual_seed(1)
    target = torch.rand(2, 3, 64, 64) * 2 - 1
    noise = torch.randn_like(target)
    with torch.no_grad():
        distances = [perceptual((target + share * noise).clamp(-1, 1), target).item() for share in (0.0, 0.1, 0.5)]
    assert distances[0] == 0
    assert distances[0] < distances[1] < distances[2]


def test_gradients_reach_the_picture_and_not_the_network(perceptual: Perceptual) -> None:
    torch.manual_seed(2)
    drawn = torch.rand(1, 3, 64, 64, requires_grad=True)
    perceptual(drawn, torch.rand(1, 3, 64, 64)).backward()
    assert drawn.grad is not None
    assert drawn.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in perceptual.parameters())


def test_its_layers_are_taken_from_shallow_to_deep(perceptual: Perceptual) -> None:
    features = perceptual._features(torch.zeros(1, 3, 64, 64))
    sides = [feature.shape[-1] for feature in features]
    assert len(features) == len(LAYERS)
    assert sides == sorted(sides, reverse=True)

"""Every loss against a value worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from faceengine.training import losses


def picture(values: list[list[float]]) -> Tensor:
    """A one-channel picture as three equal channels: ``(1, 3, H, W)``."""
    return torch.tensor(values).expand(1, 3, -1, -1)


DRAWN = picture([[0.0, 1.0], [0.5, 0.5]])
TARGET = picture([[0.0, 0.0], [0.0, 0.5]])
ERRORS = losses.Errors.of(DRAWN, TARGET)
MASK = torch.tensor([[[[1.0, 0.0], [0.5, 0.0]]]])


def test_reconstruction() -> None:
    assert losses.inside(ERRORS.pixels).item() == pytest.approx((0 + 1 + 0.5 + 0) / 4)


def test_auxiliary_pictures_are_compared_at_their_size() -> None:
    small = torch.zeros(1, 3, 1, 1)  # the target's mean is 0.125
    assert losses.auxiliary(small, TARGET).item() == pytest.approx(0.125)


def test_inside() -> None:
    assert losses.inside(ERRORS.pixels, MASK).item() == pytest.approx(0.5 * 0.5 / 4)


def test_edge() -> None:
    # Differences are [[0, 1], [0.5, 0]]: in x 1 and -0.5, in y 0.5 and -1.
    assert losses.inside(ERRORS.edges).item() == pytest.approx((1 + 0.5) / 2 + (0.5 + 1) / 2)


def test_edge_inside() -> None:
    assert losses.inside(ERRORS.edges, MASK).item() == pytest.approx((1 * 1 + 0.5 * 0.5) / 2 + (1 * 0.5 + 0) / 2)


def test_dissimilarity_is_zero_for_equals_and_one_minus_ssim_by_hand() -> None:
    everywhere = torch.ones(1, 1, 16, 16)
    x = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert losses.dissimilarity(x, x, everywhere).item() == pytest.approx(0, abs=1e-5)
    flat_a, flat_b = torch.full((1, 3, 16, 16), 0.5), torch.full((1, 3, 16, 16), -0.25)
    c1 = 0.02**2
    by_hand = 1 - (2 * 0.5 * -0.25 + c1) / (0.5**2 + 0.25**2 + c1)
    assert losses.dissimilarity(flat_a, flat_b, everywhere).item() == pytest.approx(by_hand, abs=1e-4)


def test_dissimilarity_is_computed_in_32_bits_whatever_the_networks_are() -> None:
    """In 16 bits the variances of bright, flat pictures come out negative, and the loss as no number."""
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    bright, target = 0.9 + 0.02 * noise, 0.9 + 0.02 * noise.flip(3)
    exact = losses.dissimilarity(bright, target, torch.ones(1, 1, 64, 64))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(losses.dissimilarity(bright, target, torch.ones(1, 1, 64, 64)), exact)


def test_dissimilarity_is_judged_inside_the_mask_only() -> None:
    x = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    changed = x.clone()
    changed[..., 20:] = 0.3
    left = torch.zeros(1, 1, 32, 32)
    left[..., :12] = 1.0
    assert losses.dissimilarity(changed, x, left).item() == pytest.approx(0, abs=1e-5)
    assert losses.dissimilarity(changed, x, 1 - left).item() > 0.3


def test_a_target_keeps_its_face_and_loses_its_background() -> None:
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    face = torch.zeros(1, 1, 64, 64)
    face[..., 16:48, 16:48] = 1.0
    kept = losses.without_background(noise, face, 0.0)
    assert torch.allclose(kept[..., 16:48, 16:48], noise[..., 16:48, 16:48])
    assert kept[..., :12, :].std() < 0.3 * noise[..., :12, :].std()
    assert torch.allclose(losses.without_background(noise, face, 1.0), noise)


def test_adversarial_pushes_to_one() -> None:
    assert losses.adversarial(torch.tensor([0.0, 1.0, 3.0])).item() == pytest.approx((1 + 0 + 4) / 3)


def test_discrimination_regresses_the_share_of_the_real() -> None:
    assert losses.discrimination(torch.tensor([0.2, 0.7]), 0.2).item() == pytest.approx(0.25 / 2)


def test_alpha_size_and_its_hinge() -> None:
    alpha = torch.tensor([[[[0.2, 0.4], [0.6, 0.8]]]])
    assert losses.alpha_size(alpha).item() == pytest.approx(0.5)
    # 0.01 · 10 is the hinge's own weight of 0.1.
    assert 0.01 * losses.alpha_size(alpha, 0.5).item() == pytest.approx(0.1 * (0.3 + 0.1) / 4)


def test_total_variation() -> None:
    alpha = torch.tensor([[[[0.0, 1.0], [0.5, 0.5]]]])
    assert losses.total_variation(alpha).item() == pytest.approx((1 + 0) / 2 + (0.5 + 0.5) / 2)


def test_cycle() -> None:
    there, back = torch.full((1, 1, 2, 2), 0.9), torch.full((1, 1, 2, 2), 0.4)
    assert losses.cycle(TARGET, DRAWN, there, back).item() == pytest.approx(0.375 + 0.1 * 0.5)


def test_feature_distance_normalises_each_channel() -> None:
    ours = torch.tensor([[[[-1.0, 1.0]]]])
    theirs = torch.tensor([[[[30.0, 10.0]]]])  # normalised: 1 and -1
    distance = losses.feature_distance([ours, ours], [theirs, ours], [0.3, 0.1]).item()
    assert distance == pytest.approx(0.3 * 4, rel=1e-4)
    assert not math.isnan(distance)

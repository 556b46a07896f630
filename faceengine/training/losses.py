"""The losses, each a pure function of tensors that returns one number (shape ``()``).

Pictures ``(B, 3, S, S)`` in [-1, 1], masks ``(B, 1, S, S)`` in [0, 1]. Weights are applied where losses are added up
(``step.py``). Sources: faceswap-GAN v2.2 unless another is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW = 7
"""Side of SSIM's windows."""


def auxiliary(small: Tensor, target: Tensor) -> Tensor:
    """L1 of a smaller picture to the target at its size."""
    return F.l1_loss(small, F.interpolate(target, size=small.shape[-2:], mode="area"))


@dataclass(frozen=True)
class Errors:
    """Differences of a drawn face from its target, computed once for all masks: ``(B, 1, S, S)``, means over RGB."""

    pixels: Tensor
    """|difference|."""
    edges: Tensor
    """|first differences of the difference|, in x plus in y, each at its first pixel; scaled so that the map's mean is
    the sum of both directions' means, as the original adds them."""

    @classmethod
    def of(cls, drawn: Tensor, target: Tensor) -> Errors:
        difference = drawn - target
        height, width = difference.shape[-2:]
        in_x = F.pad(difference.diff(dim=3).abs().mean(dim=1, keepdim=True), (0, 1)) * (width / (width - 1))
        in_y = F.pad(difference.diff(dim=2).abs().mean(dim=1, keepdim=True), (0, 0, 0, 1)) * (height / (height - 1))
        return cls(difference.abs().mean(dim=1, keepdim=True), in_x + in_y)


def inside(error: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean over all pixels of mask · error."""
    return error.mean() if mask is None else (mask * error).mean()


def without_background(target: Tensor, face: Tensor, keep: float) -> Tensor:
    """The target with its surroundings blurred, but for ``keep`` of their detail: nothing is spent on drawing them."""
    side = target.shape[-1]
    soft = F.interpolate(F.avg_pool2d(target, side // 16), size=side, mode="bilinear", align_corners=False)
    share = keep + (1 - keep) * face
    return soft + share * (target - soft)


def dissimilarity(drawn: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """1 - SSIM of the luma inside the mask, in [0, 2]: the mean of full and half resolution."""
    half = [F.avg_pool2d(part, 2) for part in (drawn, target, mask)]
    return (_dissimilarity(drawn, target, mask) + _dissimilarity(half[0], half[1], half[2])) / 2


def _dissimilarity(drawn: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Over 7×7 windows of equal weights. Wang et al. 2004, for a range of 2."""
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    # Second moments lose too much in 16 bits.
    x, y = (_luma(picture.float()) for picture in (drawn, target))
    products = torch.cat([x, y, x * x, y * y, x * y], dim=1)
    # Sums over windows as products with a banded matrix: a tenth of the time of average pools on a CPU.
    band = _windows(products.shape[-1], products.device)
    with torch.autocast(products.device.type, enabled=False):  # which would multiply in 16 bits
        moments = band.T @ products @ band
    mean_x, mean_y, xx, yy, xy = moments.chunk(5, dim=1)
    covariance = xy - mean_x * mean_y
    variances = xx - mean_x**2 + yy - mean_y**2
    ssim = (2 * mean_x * mean_y + c1) * (2 * covariance + c2) / ((mean_x**2 + mean_y**2 + c1) * (variances + c2))
    inside = mask[..., WINDOW // 2 : -(WINDOW // 2), WINDOW // 2 : -(WINDOW // 2)]
    return (inside * (1 - ssim)).sum() / inside.sum().clamp(min=1.0)


@lru_cache(maxsize=8)
def _windows(size: int, device: torch.device) -> Tensor:
    """``(S, S - 6)``: column i averages the values i … i + 6."""
    start = torch.arange(size - WINDOW + 1, device=device)
    row = torch.arange(size, device=device)[:, None]
    return ((row >= start) & (row < start + WINDOW)).float() / WINDOW


def _luma(picture: Tensor) -> Tensor:
    """``(B, 1, S, S)``, BT.601."""
    return 0.299 * picture[:, :1] + 0.587 * picture[:, 1:2] + 0.114 * picture[:, 2:]


def adversarial(patches: Tensor) -> Tensor:
    """The generator's part of LSGAN: every patch should be taken for real (1). Mao et al. 2016, arXiv 1611.04076."""
    return (patches.float() - 1).square().mean()


def discrimination(patches: Tensor, real_share: float) -> Tensor:
    """The discriminator's part: on real_share · real + (1 - real_share) · fake it should say ``real_share``.

    mixup on LSGAN: Zhang et al. 2017, arXiv 1710.09412.
    """
    return (patches.float() - real_share).square().mean()


def alpha_size(alpha: Tensor, hinge: float | None = None) -> Tensor:
    """Mean of alpha, kept small; or, with a ``hinge``, ten times the mean of what alpha lacks to the hinge.

    The factor keeps the original's weights of 0.01 and 0.1 in one setting.
    """
    return alpha.mean() if hinge is None else 10 * F.relu(hinge - alpha).mean()


def total_variation(alpha: Tensor) -> Tensor:
    """Mean absolute first difference, in x plus in y."""
    return alpha.diff(dim=3).abs().mean() + alpha.diff(dim=2).abs().mean()


def cycle(start: Tensor, returned: Tensor, alpha_there: Tensor, alpha_back: Tensor) -> Tensor:
    """L1 between a picture and itself after A→B→A, plus 0.1 · L1 between the two masks.

    Zhu et al. 2017 (CycleGAN), arXiv 1703.10593.
    """
    return F.l1_loss(returned, start) + 0.1 * F.l1_loss(alpha_back, alpha_there)


def feature_distance(ours: Sequence[Tensor], theirs: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Sum over layers of weight · mean squared difference of features, each channel of a sample normalised."""
    pairs = zip(ours, theirs, weights, strict=True)
    return torch.stack(
        [w * F.mse_loss(F.instance_norm(x.float()), F.instance_norm(y.float())) for x, y, w in pairs]
    ).sum()

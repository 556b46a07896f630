"""The losses, each a pure function of tensors that returns one number (shape ``()``).

Pictures ``(B, 3, S, S)`` in [-1, 1], masks ``(B, 1, S, S)`` in [0, 1]. Weights are applied where losses are added up
(``step.py``). Sources: faceswap-GAN v2.2 unless another is named.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def reconstruction(drawn: Tensor, target: Tensor, auxiliary: Sequence[Tensor] = ()) -> Tensor:
    """L1 to the target, and of every auxiliary picture to the target at its size."""
    loss = F.l1_loss(drawn, target)
    for small in auxiliary:
        loss = loss + F.l1_loss(small, F.interpolate(target, size=small.shape[-2:], mode="area"))
    return loss


def inside(drawn: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean over all pixels of mask · |difference|."""
    return (mask * (drawn - target).abs()).mean()


def edge(drawn: Tensor, target: Tensor) -> Tensor:
    """L1 between first differences, in x plus in y."""
    difference = drawn - target
    return difference.diff(dim=3).abs().mean() + difference.diff(dim=2).abs().mean()


def edge_inside(drawn: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """As :func:`edge`, each difference weighted by the mask at its first pixel."""
    difference = drawn - target
    in_x = (mask[..., :-1] * difference.diff(dim=3).abs()).mean()
    return in_x + (mask[..., :-1, :] * difference.diff(dim=2).abs()).mean()


def dissimilarity(drawn: Tensor, target: Tensor) -> Tensor:
    """1 - SSIM of the luma over 7×7 windows of equal weights, in [0, 2]. Wang et al. 2004, for a range of 2."""
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    # Second moments lose too much in 16 bits.
    x, y = (_luma(picture.float()) for picture in (drawn, target))
    products = torch.cat([x, y, x * x, y * y, x * y], dim=1)
    # One direction after the other: 14 values to add up instead of 49.
    moments = F.avg_pool2d(F.avg_pool2d(products, (7, 1), stride=1), (1, 7), stride=1)
    mean_x, mean_y, xx, yy, xy = moments.chunk(5, dim=1)
    covariance = xy - mean_x * mean_y
    variances = xx - mean_x**2 + yy - mean_y**2
    ssim = (2 * mean_x * mean_y + c1) * (2 * covariance + c2) / ((mean_x**2 + mean_y**2 + c1) * (variances + c2))
    return 1 - ssim.mean()


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

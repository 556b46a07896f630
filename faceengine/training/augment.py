"""Augmentation: from one aligned crop to a (warped input, target, masks) triple, in the original's order.

Everything random comes from the generator that is handed in, so a sample is a function of its seed alone.
Crops are ``(W, W, 3)`` uint8 RGB, masks ``(W, W, M)`` uint8; W is the working size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from faceengine.geometry import Image, Matrix, umeyama

GRID = 5
"""Points a side of the grid that bends the input."""


@dataclass(frozen=True)
class Sample:
    """``warped`` and ``target`` ``(S, S, 3)``, ``masks`` ``(S, S, M)``, all uint8; masks follow the target."""

    warped: Image
    target: Image
    masks: Image


def sample(
    crop: Image,
    masks: Image,
    colours_of: Image | None,
    size: int,
    coverage: float,
    *,
    placement: float,
    flip: float,
    warp_sigma: float,
    rng: Generator,
) -> Sample:
    """One training sample of ``size`` pixels that shows the central ``coverage`` of the crop.

    ``colours_of``: another crop whose colours this one takes on first. ``placement`` and ``flip``: see
    :func:`random_placement`. ``warp_sigma``: pixels at 256.
    """
    if colours_of is not None:
        crop = match_colours(crop, colours_of, xyz=rng.random() < 0.5)
    place = random_placement(crop.shape[0], placement, flip, rng)
    crop = cv2.warpAffine(crop, place, crop.shape[:2], borderMode=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    masks = cv2.warpAffine(masks, place, crop.shape[:2], borderMode=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return warp(crop, masks, size, coverage, warp_sigma, rng)


def match_colours(crop: Image, other: Image, *, xyz: bool) -> Image:
    """Give ``crop`` the mean and standard deviation of ``other`` in each channel, of RGB or of CIE XYZ."""
    ours, theirs = crop, other
    if xyz:
        ours, theirs = (cv2.cvtColor(image, cv2.COLOR_RGB2XYZ) for image in (crop, other))  # type: ignore[assignment]
    mean, deviation = cv2.meanStdDev(ours)
    wanted_mean, wanted_deviation = cv2.meanStdDev(theirs)
    # A nearly flat picture must not be blown up into noise.
    factor = np.clip(wanted_deviation / np.maximum(deviation, 1.0), 0.25, 4.0)
    matched = cv2.convertScaleAbs(np.clip((ours - mean.T) * factor.T + wanted_mean.T, 0, 255))
    return cv2.cvtColor(matched, cv2.COLOR_XYZ2RGB) if xyz else matched  # type: ignore[return-value]


def random_placement(size: int, factor: float, flip: float, rng: Generator) -> Matrix:
    """Rotation ±10°, zoom ±10 % and shift ±5 % of ``size``, all times ``factor``, mirrored with probability ``flip``.

    A ``(2, 3)`` matrix.
    """
    angle, zoom = factor * rng.uniform(-10, 10), 1 + factor * rng.uniform(-0.1, 0.1)
    centre = (size - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D((centre, centre), angle, zoom), dtype=np.float64)
    matrix[:, 2] += factor * rng.uniform(-0.05, 0.05, 2) * size
    if rng.random() < flip:
        mirror = np.array([[-1.0, 0.0, size - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        matrix = matrix @ mirror
    return matrix


def warp(crop: Image, masks: Image, size: int, coverage: float, sigma: float, rng: Generator) -> Sample:
    """Bend the central ``coverage`` of the crop on a 5×5 grid; the target is the straight view nearest to it."""
    working = crop.shape[0]
    half = coverage * working / 2
    # Centres of the outermost output pixels, not the borders of the square: the matrix below then is
    # geometry.align_matrix's own when nothing is displaced.
    reach = half * (1 - 1 / size)
    ticks = (working - 1) / 2 + np.linspace(-reach, reach, GRID)
    regular = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    displaced = regular + rng.normal(0.0, sigma * working / 256, regular.shape)
    maps = _spread(displaced, size)
    warped = cv2.remap(crop, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    in_output = np.stack(np.meshgrid(*[np.linspace(0, size - 1, GRID)] * 2), axis=-1)
    straight = umeyama(displaced.reshape(-1, 2), in_output.reshape(-1, 2))
    target = cv2.warpAffine(crop, straight, (size, size), borderMode=cv2.BORDER_REPLICATE)
    moved = cv2.warpAffine(masks, straight, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return Sample(warped, target, moved.reshape(size, size, -1))  # type: ignore[arg-type]


def _spread(grid: NDArray[np.float64], size: int) -> NDArray[np.float32]:
    """Bilinear ``(5, 5, 2)`` → ``(size, size, 2)`` with the grid's corners at the corner pixels."""
    at = np.linspace(0, GRID - 1, size)
    left = np.minimum(at.astype(int), GRID - 2)
    share = at - left
    weights = np.zeros((size, GRID))
    weights[np.arange(size), left] = 1 - share
    weights[np.arange(size), left + 1] = share
    spread = weights @ grid.transpose(2, 0, 1) @ weights.T
    return np.ascontiguousarray(spread.transpose(1, 2, 0), dtype=np.float32)


def add_noise(image: Image, rng: Generator) -> Image:
    """Gaussian noise, or salt and pepper, each half of the time."""
    if rng.random() < 0.5:
        return np.clip(image + rng.normal(0.0, rng.uniform(2, 10), image.shape), 0, 255).astype(np.uint8)
    hit = rng.random(image.shape[:2])
    noisy = image.copy()
    noisy[hit < 0.01] = 0
    noisy[hit > 0.99] = 255
    return noisy


def motion_blur(image: Image, rng: Generator) -> Image:
    """Blur along a straight line of 5 … 11 pixels at 256, in any direction."""
    length = max(2, round(rng.integers(5, 12) * image.shape[0] / 256))
    angle = rng.uniform(0, np.pi)
    side = length | 1
    kernel = np.zeros((side, side), np.float32)
    reach = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
    centre = np.full(2, side // 2)
    start, end = (tuple(int(v) for v in np.rint(centre + sign * reach)) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)  # type: ignore[return-value]

"""Augmentation: from one aligned crop to a (warped input, target, masks) triple, in the original's order.

Everything random comes from the generator that is handed in, so a sample is a function of its seed alone.
Crops are ``(W, W, 3)`` uint8 RGB, masks ``(V, V, M)`` uint8 over the same view; W is the working size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from faceengine.geometry import Image, Matrix, invert, transform, umeyama

GRID = 5
"""Points a side of the grid that bends the input."""
RGB_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
"""Linear part of ITU-R BT.709 with white D65, as OpenCV has it; applied to the coded values, as the original does."""


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
    return warp(crop, masks, place, size, coverage, warp_sigma, rng)


def match_colours(crop: Image, other: Image, *, xyz: bool) -> Image:
    """Give ``crop`` the mean and standard deviation of ``other`` in each channel, of RGB or of CIE XYZ.

    Both are affine in RGB, so that one pass over the pixels does it.
    """
    space = RGB_TO_XYZ if xyz else np.eye(3)
    mean, deviation = _statistics(crop, space)
    wanted_mean, wanted_deviation = _statistics(other, space)
    # A nearly flat picture must not be blown up into noise.
    factor = np.clip(wanted_deviation / np.maximum(deviation, 1.0), 0.25, 4.0)
    linear = np.linalg.inv(space) @ (factor[:, None] * space)
    shift = np.linalg.inv(space) @ (wanted_mean - factor * mean)
    return cv2.transform(crop, np.column_stack([linear, shift]))  # type: ignore[return-value]


def _statistics(image: Image, space: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation ``(3,)`` of each channel in ``space`` ``(3, 3)``; every fourth pixel says enough."""
    pixels = image[::2, ::2].reshape(-1, 3).astype(np.float32)
    mean = np.full(len(pixels), 1 / len(pixels), np.float32) @ pixels
    covariance = (pixels.T @ pixels).astype(np.float64) / len(pixels) - np.outer(mean, mean)
    variance = np.diag(space @ covariance @ space.T)
    return space @ mean, np.sqrt(np.maximum(variance, 0.0))


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


def warp(crop: Image, masks: Image, place: Matrix, size: int, coverage: float, sigma: float, rng: Generator) -> Sample:
    """Bend the central ``coverage`` of the crop, moved by ``place`` ``(2, 3)``, on a 5×5 grid; the target is the
    straight view nearest to it. Each is sampled once: moving first and bending then would blur twice. The masks may
    have fewer pixels than the crop they lie over."""
    working = crop.shape[0]
    half = coverage * working / 2
    # Centres of the outermost output pixels, not the borders of the square: the matrix below then is
    # geometry.align_matrix's own when nothing is displaced.
    reach = half * (1 - 1 / size)
    ticks = (working - 1) / 2 + np.linspace(-reach, reach, GRID)
    regular = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    displaced = regular + rng.normal(0.0, sigma * working / 256, regular.shape)
    back = invert(place)
    maps = _spread(transform(displaced.reshape(-1, 2), back).reshape(displaced.shape), size)
    warped = cv2.remap(crop, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    in_output = np.stack(np.meshgrid(*[np.linspace(0, size - 1, GRID)] * 2), axis=-1)
    upright = umeyama(displaced.reshape(-1, 2), in_output.reshape(-1, 2))
    straight = upright @ np.vstack([place, [0.0, 0.0, 1.0]])
    target = cv2.warpAffine(crop, straight, (size, size), borderMode=cv2.BORDER_REPLICATE)
    factor = working / masks.shape[0]
    onto_crop = np.array([[factor, 0.0, (factor - 1) / 2], [0.0, factor, (factor - 1) / 2], [0.0, 0.0, 1.0]])
    moved = cv2.warpAffine(masks, straight @ onto_crop, (size, size), borderMode=cv2.BORDER_REPLICATE)
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


def relight(crop: Image, rng: Generator) -> Image:
    """Another exposure, gamma and white balance, and light that falls off to one side. Size and type stay."""
    levels = np.linspace(0.0, 1.0, 256)
    gains = rng.uniform(0.75, 1.25) * rng.uniform(0.88, 1.12, 3)
    curves = np.stack([levels ** rng.uniform(0.75, 1.35) * gain for gain in gains], axis=-1)
    table = np.clip(np.rint(curves * 255), 0, 255).astype(np.uint8)[None]
    lit = cv2.LUT(crop, table)
    across = rng.uniform(-0.35, 0.35, 2)
    ramp = np.linspace(-1.0, 1.0, crop.shape[0], dtype=np.float32)
    field = (1 + np.float32(across[0]) * ramp)[:, None] * (1 + np.float32(across[1]) * ramp)[None, :]
    return cv2.multiply(lit, cv2.merge([field] * 3), dtype=cv2.CV_8U)  # type: ignore[return-value]


def degrade(image: Image, rng: Generator) -> Image:
    """Fewer pixels, or JPEG's blocks, as small and compressed video has them."""
    size = image.shape[0]
    if rng.random() < 0.5:
        small = round(size * rng.uniform(0.35, 0.8))
        coarse = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 60))])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)  # type: ignore[return-value]


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

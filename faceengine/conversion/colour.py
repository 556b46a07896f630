"""Colour transfer: the new face takes over light and skin tone of the one that was there.

Images are ``(H, W, 3)`` float32 RGB in [0, 255], weights ``(H, W)`` float32 in [0, 1]: how much each pixel counts.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MIN_WEIGHT = 16.0
"""Below this many pixels' weight, statistics say nothing and colours are left alone."""
STRETCH = (0.5, 2.0)
"""Bounds of the ratio of standard deviations: beyond them a flat patch's noise would be blown up."""


def transfer(face: Floats, reference: Floats, weight: Floats, how: str) -> Floats:
    """``face`` with its colours matched to ``reference``; both are judged only where ``weight`` says so.

    ``how``: ``none``, ``mean`` (mean and standard deviation of R, G, B), ``lab`` (the same in CIE L*a*b*; Reinhard
    et al. 2001, "Color transfer between images"), ``histogram`` (the distribution of each of R, G, B).
    """
    if how == "none" or float(weight.sum()) < MIN_WEIGHT:
        return face
    return np.asarray(np.clip(_HOW[how](face, reference, weight), 0, 255), np.float32)


def _mean(face: Floats, reference: Floats, weight: Floats) -> Floats:
    mean_face, std_face = _statistics(face, weight)
    mean_reference, std_reference = _statistics(reference, weight)
    stretch = np.clip(std_reference / np.maximum(std_face, 1e-3), *STRETCH)
    return np.asarray((face - mean_face) * stretch + mean_reference, np.float32)


def _lab(face: Floats, reference: Floats, weight: Floats) -> Floats:
    matched = _mean(_to_lab(face), _to_lab(reference), weight)
    return np.asarray(cv2.cvtColor(matched, cv2.COLOR_LAB2RGB) * 255, np.float32)


def _histogram(face: Floats, reference: Floats, weight: Floats) -> Floats:
    levels = np.arange(256)
    matched = np.empty_like(face)
    for channel in range(3):
        share_face = _cumulative(face[..., channel], weight)
        share_reference = _cumulative(reference[..., channel], weight)
        curve = np.interp(share_face, share_reference, levels)
        matched[..., channel] = np.interp(face[..., channel], levels, curve)
    return matched


def _statistics(image: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weighted mean and standard deviation of the three channels."""
    share = (weight / weight.sum()).ravel()
    pixels = image.reshape(-1, 3)
    mean = share @ pixels
    variance = share @ (pixels - mean) ** 2
    return np.asarray(mean, np.float32), np.asarray(np.sqrt(variance), np.float32)


def _cumulative(values: Floats, weight: Floats) -> NDArray[np.float64]:
    """``(256,)`` the weight's share below the middle of each level: strictly rising, so that it can be inverted."""
    counts = np.bincount(np.clip(np.rint(values), 0, 255).astype(np.int64).ravel(), weight.ravel(), minlength=256)
    counts = counts / counts.sum() + 1e-9
    return np.asarray(np.cumsum(counts) - counts / 2)


def _to_lab(image: Floats) -> Floats:
    return np.asarray(cv2.cvtColor(np.clip(image, 0, 255) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)


_HOW: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {"mean": _mean, "lab": _lab, "histogram": _histogram}


def sharpen(face: Floats, footage: Floats, weight: Floats, most: float) -> Floats:
    """Sharpen the drawn face until it has about as much fine detail as the footage, by at most ``most`` in [0, 1].

    An unsharp mask over a radius of one crop pixel, ``face + amount · (face - blurred)``. Networks draw softer than
    cameras record; coarse footage must not get a crisp face either. ``face`` and ``footage`` ``(S, S, 3)``, ``weight``
    ``(S, S)``: where the face is.
    """
    if most == 0:
        return face
    detail = face - cv2.GaussianBlur(face, (0, 0), 1.0)
    amount = min(
        most, _strength(footage - cv2.GaussianBlur(footage, (0, 0), 1.0), weight) / _strength(detail, weight) - 1
    )
    return np.asarray(np.clip(face + amount * detail, 0, 255), np.float32) if amount > 0 else face


def _strength(detail: Floats, weight: Floats) -> float:
    """Weighted root mean square of ``detail`` ``(S, S, 3)``."""
    squares = np.einsum("ijk,ijk->ij", detail, detail)
    return float(np.sqrt(np.vdot(squares, weight) / max(float(weight.sum()), 1.0))) + 1e-3

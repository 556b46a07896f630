"""How near two pictures are: PSNR and SSIM, of whole pictures and inside the face of paired videos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.errors import InputError
from faceengine.extraction.finder import FaceFinder
from faceengine.geometry import Image
from faceengine.video import read_frames

Picture = NDArray[np.uint8] | NDArray[np.floating]

MOST = 100.0
"""dB: the highest PSNR of a frame that is reported, far above what 8 bits and an encoder reach."""
_WINDOW = 11
_SIGMA = 1.5
_LUMA = np.array([0.299, 0.587, 0.114])


def psnr(one: Picture, other: Picture) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of one shape with values in [0, 255], over all channels.

    ``10·log10(255² / mean squared difference)``; infinite for equal pictures.
    """
    error = _mean_square(one, other)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def ssim(one: Picture, other: Picture) -> float:
    """Structural similarity in [-1, 1] of two pictures ``(H, W, 3)`` RGB or ``(H, W)``, values in [0, 255].

    Of the luma (BT.601), with a Gaussian window of 11 pixels and sigma 1.5, over the windows that fit in the picture:
    Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity". Raises ``ValueError``
    for pictures under 11 pixels.
    """
    if one.shape != other.shape or min(one.shape[:2]) < _WINDOW:
        raise ValueError(f"pictures of one shape and at least {_WINDOW} pixels are needed: {one.shape}, {other.shape}")
    x, y = _luma(one), _luma(other)
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x, variance_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return float(similarity.mean())


def _mean_square(one: Picture, other: Picture) -> float:
    return float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))


def _luma(picture: Picture) -> NDArray[np.float64]:
    values = picture.astype(np.float64)
    return values if values.ndim == 2 else values @ _LUMA


def _blur(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian mean of every window that lies wholly inside."""
    border = _WINDOW // 2
    blurred = cv2.GaussianBlur(values, (_WINDOW, _WINDOW), _SIGMA)
    inside: NDArray[np.float64] = blurred[border:-border, border:-border].astype(np.float64)
    return inside


# -- inside the face ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PairedScores:
    """Means over the frames in which a face was found."""

    psnr_face: float
    ssim_face: float
    frames: int


def cut_box(image: Image, box: NDArray[np.float64]) -> Image:
    """The pixels of ``image`` inside the ``(x0, y0, x1, y1)`` box, rounded to whole pixels and cut at the border."""
    x0, y0, x1, y1 = (max(round(float(value)), 0) for value in box)
    return image[y0:y1, x0:x1]


def box_scores(one: Image, other: Image, box: NDArray[np.float64]) -> tuple[float, float] | None:
    """PSNR and SSIM of two frames inside a face box; ``None`` if less than a window of it is in the frame.

    PSNR ends at :data:`MOST`, so that equal frames neither break a mean nor the JSON that it is written to.
    """
    pair = cut_box(one, box), cut_box(other, box)
    return (min(psnr(*pair), MOST), ssim(*pair)) if min(pair[0].shape[:2]) >= _WINDOW else None


def paired_scores(result: Path, truth: Path, *, original: Path | None = None, every: int = 1) -> PairedScores:
    """PSNR and SSIM of ``result`` against ``truth`` inside the face box, mean of the frames' values.

    The box is the best face's rectangle as the detector gives it, found in ``original`` (the footage before the swap)
    if it is given, else in ``truth``; so it does not depend on the result. Frames are compared by number; videos of
    different length are compared as far as both go. Raises :class:`InputError` ``score.size`` for different frame
    sizes, ``score.no_face`` if there is no face at all.
    """
    finder, boxes_from = FaceFinder(), original or truth
    scores: list[tuple[float, float]] = []
    streams = (read_frames(path, every=every) for path in (result, truth, boxes_from))
    for mine, wanted, source in zip(*streams, strict=False):
        if mine.image.shape != wanted.image.shape or mine.image.shape != source.image.shape:
            raise InputError("score.size", f"{result} and {truth} have frames of different size")
        faces = finder(source.image)
        if not faces:
            continue
        if (pair := box_scores(mine.image, wanted.image, faces[0].box)) is not None:
            scores.append(pair)
    if not scores:
        raise InputError("score.no_face", f"no face was found in {boxes_from}")
    mean_psnr, mean_ssim = np.mean(scores, axis=0)
    return PairedScores(float(mean_psnr), float(mean_ssim), len(scores))

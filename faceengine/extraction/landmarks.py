"""The 68 landmarks of iBUG 300-W, by FAN where its weights are here, else by dlib's regression trees.

Both give the same scheme; which one ran is recorded with every crop, because masks and poses of the two differ by a
pixel or two and should not be mixed up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import dlib
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faceengine import weights
from faceengine.errors import ConfigError, InputError
from faceengine.events import Message, OnEvent, ignore
from faceengine.geometry import Image, Points, invert, square_box, transform, warp

Choice = Literal["auto", "fan", "dlib"]


class Landmarker(ABC):
    """Finds the 68 landmarks of faces whose boxes are known."""

    name: ClassVar[str]

    @abstractmethod
    def __call__(self, image: Image, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(H, W, 3)`` uint8 RGB and boxes ``(N, 4)`` as the finder gives them → ``(N, 68, 2)`` in frame pixels."""


class DlibLandmarker(Landmarker):
    """dlib's: Kazemi & Sullivan 2014, "One Millisecond Face Alignment with an Ensemble of Regression Trees"."""

    name = "dlib68"
    # dlib's own detector frames a face lower than MTCNN does: median over 97 frames of two people.
    _LOWER = 0.04

    def __init__(self) -> None:
        self._predict = dlib.shape_predictor(str(weights.require("dlib-68")))

    def __call__(self, image: Image, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([self._face(image, box) for box in boxes]) if len(boxes) else np.empty((0, 68, 2))

    def _face(self, image: Image, box: NDArray[np.float64]) -> Points:
        square = square_box(box)
        square[[1, 3]] += self._LOWER * (square[2] - square[0])
        shape = self._predict(image, dlib.rectangle(*(round(float(side)) for side in square)))
        return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)


class FanLandmarker(Landmarker):
    """Bulat & Tzimiropoulos 2017, "How far are we from solving the 2D & 3D Face Alignment problem?": four hourglasses.

    The net is face-alignment's; its own detector is not needed, since the boxes come from MTCNN.
    """

    name = "fan"
    _SIZE, _MAP = 256, 64
    # face-alignment: the crop is 200 / 195 times width + height of the box, its centre 0.12 of the height above it.
    _SIDE, _HIGHER = 200 / 195, 0.12

    def __init__(self, device: str = "cpu", net: torch.nn.Module | None = None) -> None:
        self._device = torch.device(device)
        self._net = (net or _load_fan()).eval().to(self._device)

    @torch.inference_mode()
    def __call__(self, image: Image, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        if not len(boxes):
            return np.empty((0, 68, 2))
        matrices = [self._matrix(box) for box in boxes]
        crops = np.stack([warp(image, matrix, self._SIZE) for matrix in matrices])
        pixels = torch.from_numpy(crops).to(self._device).permute(0, 3, 1, 2).float() / 255
        # Both grids count from pixel centres and cover the same extent.
        points = (peaks(self._net(pixels)[-1]) + 0.5) * (self._SIZE / self._MAP) - 0.5
        return np.stack([transform(found, invert(matrix)) for found, matrix in zip(points, matrices, strict=True)])

    def _matrix(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        width, height = box[2] - box[0], box[3] - box[1]
        centre = (box[:2] + box[2:]) / 2 - (0, self._HIGHER * height)
        scale = self._SIZE / (self._SIDE * (width + height))
        # Half a pixel less, since a pixel's centre is a whole number.
        return np.column_stack([np.eye(2) * scale, self._SIZE / 2 - 0.5 - centre * scale])


def peaks(heatmaps: Tensor) -> NDArray[np.float64]:
    """``(N, 68, S, S)`` heatmaps → ``(N, 68, 2)`` (x, y) of their maxima, a quarter pixel toward the higher neighbour.

    The quarter is face-alignment's; pixel centres are whole numbers.
    """
    count, points, size, _ = heatmaps.shape
    best = heatmaps.flatten(2).argmax(dim=2)
    y, x = best // size, best % size
    padded = torch.nn.functional.pad(heatmaps, (1, 1, 1, 1), mode="replicate")
    n = torch.arange(count, device=heatmaps.device)[:, None]
    k = torch.arange(points, device=heatmaps.device)[None]
    slope_x = padded[n, k, y + 1, x + 2] - padded[n, k, y + 1, x]
    slope_y = padded[n, k, y + 2, x + 1] - padded[n, k, y, x + 1]
    places = torch.stack([x + 0.25 * slope_x.sign(), y + 0.25 * slope_y.sign()], dim=2)
    result: NDArray[np.float64] = places.double().cpu().numpy()
    return result


def make_landmarker(choice: Choice = "auto", *, device: str = "cpu", on_event: OnEvent = ignore) -> Landmarker:
    """The landmarker ``choice``; ``auto`` takes FAN if its weights are here, else dlib's, and says so.

    Raises :class:`InputError` when the weights asked for are missing or damaged, :class:`ConfigError` for another name.
    """
    if choice not in ("auto", "fan", "dlib"):
        raise ConfigError("landmarks.unknown", f"there is no landmark network {choice!r}; known: fan, dlib")
    if choice == "auto" and weights.find("fan-2d") is None:
        text = "landmarks are found by dlib: the weights of FAN are not here (python -m faceengine weights --fetch)"
        on_event(Message("warning", "landmarks.dlib", text))
        choice = "dlib"
    return DlibLandmarker() if choice == "dlib" else FanLandmarker(device)


def _load_fan() -> torch.nn.Module:
    from face_alignment.models import FAN  # it brings a compiler along that takes seconds to import

    path = weights.require("fan-2d")
    net: torch.nn.Module = FAN(4)
    try:
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises half a dozen kinds for a damaged file
        text = f"{path} does not hold FAN: remove it, then run: python -m faceengine weights --fetch"
        raise InputError("weights.damaged", text) from error
    return net

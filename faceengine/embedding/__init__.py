"""Who is this: a network turns an aligned face into a vector, and near vectors are the same person."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from faceengine import weights
from faceengine.device import choose_precision
from faceengine.embedding import dlib_resnet
from faceengine.embedding.chips import dlib_chip, facenet_chip
from faceengine.errors import ConfigError, InputError
from faceengine.events import Message, OnEvent, ignore
from faceengine.geometry import Image, Points
from faceengine.thresholds import THRESHOLDS, Reading, Thresholds

Choice = Literal["auto", "facenet-vggface2", "dlib-resnet"]
Embeddings = NDArray[np.float64]
_BATCH = 16


class Embedder(ABC):
    """A face recognition network with its own way to cut the face and its own thresholds.

    :meth:`chip` and :meth:`batch` are apart so that a caller can gather chips over frames and run them as one batch.
    """

    name: ClassVar[str]
    size: ClassVar[int]
    """Pixels of the square chip."""
    dimensions: ClassVar[int]
    thresholds: ClassVar[Thresholds]

    def __init__(self, net: nn.Module, device: str, precision: torch.dtype = torch.float32) -> None:
        self._net = net.to(device, precision)
        self._device = device
        self._precision = precision

    @abstractmethod
    def chip(self, image: Image, landmarks: Points) -> Image:
        """Cut the ``(size, size, 3)`` RGB chip of the face with these ``(68, 2)`` landmarks out of an RGB image."""

    @abstractmethod
    def _prepare(self, chips: Tensor) -> Tensor:
        """``(B, size, size, 3)`` float32 RGB in [0, 255] → the same pixels as the network takes them."""

    def batch(self, chips: Sequence[Image] | Image) -> Embeddings:
        """``N`` chips (a list or ``(N, size, size, 3)``) → ``(N, dimensions)`` as the network gives them."""
        parts = [self._run(np.stack(list(chips[start : start + _BATCH]))) for start in range(0, len(chips), _BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, self.dimensions))

    def __call__(self, image: Image, landmarks: Points) -> Embeddings:
        """The faces of one ``(H, W, 3)`` RGB image with ``(N, 68, 2)`` landmarks → ``(N, dimensions)``."""
        return self.batch([self.chip(image, points) for points in landmarks])

    def reading(self, distance: float) -> Reading:
        """What a Euclidean distance between two embeddings says of the two faces."""
        return self.thresholds.reading(distance)

    @torch.inference_mode()
    def _run(self, chips: Image) -> Embeddings:
        pixels = self._prepare(torch.from_numpy(chips).to(self._device).float())
        # (B, H, W, 3) seen as (B, 3, H, W) is channels_last already: no copy.
        vectors = self._net(pixels.to(self._precision).permute(0, 3, 1, 2))
        return vectors.double().cpu().numpy()  # type: ignore[no-any-return]


class DlibEmbedder(Embedder):
    """dlib's ResNet (128 numbers), half of whose training faces are VGG-Face."""

    name = "dlib-resnet"
    size = dlib_resnet.SIZE
    dimensions = dlib_resnet.DIMENSIONS
    thresholds = THRESHOLDS[name]

    def __init__(self, device: str = "cpu", precision: torch.dtype = torch.float32) -> None:
        super().__init__(dlib_resnet.load(weights.require(self.name)), device, precision)
        self._mean_row = torch.tensor(dlib_resnet.MEAN, device=device).repeat(self.size)

    def chip(self, image: Image, landmarks: Points) -> Image:
        return dlib_chip(image, landmarks, self.size)

    def _prepare(self, chips: Tensor) -> Tensor:
        # Row by row: three channels at a time would leave most of the processor's width unused.
        rows = chips.flatten(2).sub_(self._mean_row).div_(dlib_resnet.SCALE)
        return rows.view_as(chips)


class FacenetEmbedder(Embedder):
    """InceptionResnetV1 trained on VGGFace2 (512 numbers of length 1), from facenet-pytorch."""

    name = "facenet-vggface2"
    size = 160
    dimensions = 512
    thresholds = THRESHOLDS[name]

    def __init__(self, device: str = "cpu") -> None:
        super().__init__(load_facenet(weights.require(self.name)), device)

    def chip(self, image: Image, landmarks: Points) -> Image:
        return facenet_chip(image, landmarks, self.size)

    def _prepare(self, chips: Tensor) -> Tensor:
        # facenet-pytorch's fixed_image_standardization.
        return (chips - 127.5) / 128


def load_facenet(path: Path) -> nn.Module:
    """facenet-pytorch's InceptionResnetV1 without its classifier, in eval mode, with the weights in ``path``.

    Also the feature network of the perceptual loss. Raises :class:`InputError` ``weights.damaged`` for a file of
    another network.
    """
    from facenet_pytorch import InceptionResnetV1  # costs a second; who has no weights need not wait for it

    net: nn.Module = InceptionResnetV1(pretrained=None, classify=False)
    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        kept = {key: value for key, value in state.items() if not key.startswith("logits.")}
        net.load_state_dict(kept)
    except Exception as error:  # torch raises RuntimeError, UnpicklingError, EOFError, KeyError … for damaged files
        text = f"{path} does not hold InceptionResnetV1: remove it, then run: python -m faceengine weights --fetch"
        raise InputError("weights.damaged", text) from error
    return net.eval().to(memory_format=torch.channels_last)


def make_embedder(
    choice: Choice = "auto", *, device: str = "cpu", precision: str = "float32", on_event: OnEvent = ignore
) -> Embedder:
    """The embedder ``choice``; ``auto`` takes facenet-vggface2 if its weights are here, else dlib's, and says so.

    ``precision`` as in :func:`choose_precision`. In bfloat16 dlib's vectors move by about 0.01, beside
    thresholds of 0.48 and 0.60; FaceNet's were not measured, so it stays at float32.

    Raises :class:`InputError` when the weights asked for are missing or damaged, :class:`ConfigError` for an unknown
    name (a face set may name a network that this version does not have).
    """
    if choice == "auto":
        choice = "facenet-vggface2"
        if weights.find(choice) is None:
            choice = "dlib-resnet"
            text = "faces are told apart by dlib-resnet: the weights of facenet-vggface2 are not here"
            on_event(Message("info", "embedding.dlib", text))
    if choice == DlibEmbedder.name:
        return DlibEmbedder(device, choose_precision(precision, torch.device(device)))
    if choice == FacenetEmbedder.name:
        return FacenetEmbedder(device)
    known = f"{FacenetEmbedder.name}, {DlibEmbedder.name}"
    raise ConfigError("embedding.unknown", f"there is no embedding network {choice!r}; known: {known}")

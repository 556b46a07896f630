"""dlib's face recognition ResNet as a torch module, read from dlib's own file.

dlib runs it one face at a time, at 0.1 s each, and holds the GIL meanwhile. Here a batch goes through torch's
convolutions. The network is ``anet_type`` of dlib's ``dnn_face_recognition_ex.cpp`` (Davis King, Boost licence): a
ResNet-34 with a few layers removed and half the filters, trained to put people at least 0.6 apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from faceengine.errors import InputError

SIZE = 150
"""Pixels of the square chip it looks at."""
DIMENSIONS = 128
MEAN = (122.782, 117.001, 104.298)
"""Of R, G and B, which it wants subtracted first."""
SCALE = 256.0
"""By which it wants the difference divided."""
# Filters and number of residual blocks of each level; all but the first begin with a block that halves the picture.
_LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))


class DlibResNet(nn.Module):
    """``(B, 3, 150, 150)`` RGB, (pixel - :data:`MEAN`) / :data:`SCALE` → ``(B, 128)``.

    Euclidean distances between rows compare people.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        blocks: list[nn.Module] = []
        channels = 32
        for filters, count, halves in _LEVELS:
            for index in range(count):
                blocks.append(_Block(channels, filters, halve=halves and index == 0))
                channels = filters
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(channels, DIMENSIONS, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.stem(image), inplace=True), 3, stride=2)
        x = self.blocks(x)
        return self.head(x.mean(dim=(2, 3)))  # type: ignore[no-any-return]


class _Block(nn.Module):
    """Two 3×3 convolutions beside the identity, or, when it halves the picture, beside a 2×2 average pool."""

    def __init__(self, channels: int, filters: int, *, halve: bool) -> None:
        super().__init__()
        self.halve = halve
        # dlib pads a convolution only when its stride is 1.
        self.first = nn.Conv2d(channels, filters, 3, stride=2 if halve else 1, padding=0 if halve else 1)
        self.second = nn.Conv2d(filters, filters, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(F.relu(self.first(x), inplace=True))
        if not self.halve:
            return F.relu(y.add_(x), inplace=True)
        return F.relu(_padded_sum(y, F.avg_pool2d(x, 2)), inplace=True)


def _padded_sum(one: Tensor, other: Tensor) -> Tensor:
    """The sum of two tensors of different size: dlib takes what is missing in channels, rows or columns as zero."""
    shape = [max(sizes) for sizes in zip(one.shape, other.shape, strict=True)]
    total = one.new_zeros(shape).contiguous(memory_format=torch.channels_last)
    for part in (one, other):
        _, channels, rows, columns = part.shape
        total[:, :channels, :rows, :columns] += part
    return total


def load(path: Path) -> DlibResNet:
    """The network with the weights of dlib's file ``dlib_face_recognition_resnet_model_v1.dat``, in eval mode.

    Each affine layer is folded into the convolution before it. Raises :class:`InputError` ``weights.damaged`` for a
    file that is cut short or holds another network.
    """
    net = DlibResNet()
    try:
        layers = read_layers(path.read_bytes())
        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                _fill(module, next(layers), next(layers))
        head = next(layers)
        if head.kind != "fc" or head.values.size != net.head.weight.numel():
            raise ValueError("the last layer is not the expected one")
        net.head.weight.data = _tensor(head.values.reshape(net.head.in_features, DIMENSIONS).T)
    except (ValueError, IndexError, StopIteration) as error:
        text = f"{path} is not dlib's face recognition network ({error}): remove it, then install its package again"
        raise InputError("weights.damaged", text) from error
    return net.eval().to(memory_format=torch.channels_last)


def _fill(conv: nn.Conv2d, read: Layer, affine: Layer) -> None:
    filters, channels, rows, columns = conv.weight.shape
    expected = (filters, rows, columns, *conv.stride, *conv.padding)
    if (read.kind, affine.kind) != ("con", "affine") or read.geometry != expected:
        raise ValueError(f"expected a convolution {expected}, found {read.kind} {read.geometry}")
    if read.values.size != conv.weight.numel() + filters or affine.values.size != 2 * filters:
        raise ValueError(f"a convolution of {filters} filters has {read.values.size} parameters")
    weight, bias = np.split(read.values, [conv.weight.numel()])
    gain, shift = np.split(affine.values, 2)
    conv.weight.data = _tensor(weight.reshape(filters, channels, rows, columns) * gain[:, None, None, None])
    assert conv.bias is not None
    conv.bias.data = _tensor(bias * gain + shift)


def _tensor(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


# -- dlib's file format --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """The parameters of one layer: kind ``con``, ``affine`` or ``fc``."""

    kind: str
    values: NDArray[np.float64]
    """All its parameters, flat, in dlib's order (filters before biases, gains before shifts)."""
    geometry: tuple[int, ...] = ()
    """Of a convolution: filters, rows, columns, stride y, stride x, padding y, padding x."""


# A layer's text tag as dlib writes it: an integer (its length), then its letters.
_TAG = re.compile(rb"\x01\x05con_4|\x01\x07affine_|\x01\x04fc_2")


def read_layers(data: bytes) -> Iterator[Layer]:
    """The layers that have parameters, input side first, of a network that ``dlib::serialize`` wrote.

    Between them lie settings of training, which are skipped by looking for the next tag. Parameters themselves are
    never searched, so a tag can't be met by chance inside them. Raises ``ValueError`` for a file cut short.
    """
    position = 0
    while tag := _TAG.search(data, position):
        reader = _Reader(data, tag.end())
        kind = tag.group()[2:].decode().split("_")[0]
        if kind == "fc":
            reader.integers(2)
        values = reader.tensor()
        yield Layer(kind, values, reader.integers(7) if kind == "con" else ())
        position = reader.position


class _Reader:
    """dlib's serialisation: an integer is a control byte (length, sign) and its bytes, least significant first."""

    def __init__(self, data: bytes, position: int) -> None:
        self.data = data
        self.position = position

    def integer(self) -> int:
        control = self.data[self.position]
        length = control & 0x0F
        if not 1 <= length <= 8 or control & 0x70:
            raise ValueError(f"no integer at byte {self.position}")
        start, self.position = self.position + 1, self.position + 1 + length
        if self.position > len(self.data):
            raise ValueError("the file is cut short")
        value = int.from_bytes(self.data[start : self.position], "little")
        return -value if control & 0x80 else value

    def integers(self, count: int) -> tuple[int, ...]:
        return tuple(self.integer() for _ in range(count))

    def tensor(self) -> NDArray[np.float64]:
        version, *shape = self.integers(5)
        if version != 2:
            raise ValueError(f"tensors of version {version} are unknown")
        count = int(np.prod(shape))
        end = self.position + 4 * count
        if count < 0 or end > len(self.data):
            raise ValueError("the file is cut short")
        values = np.frombuffer(self.data, "<f4", count, self.position).astype(np.float64)
        self.position = end
        return values

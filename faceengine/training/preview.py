"""Preview pictures: the same faces through the model again and again, so that progress can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faceengine.files import replace_file
from faceengine.geometry import Image
from faceengine.networks.model import PERSONS, Swappable, swap_alpha
from faceengine.training.pictures import Pictures
from faceengine.training.schedule import Phase
from faceengine.training.step import OTHER, decoder_of

FOLDER = "previews"
FACES = 6
"""Faces of each person in a sheet."""
COLUMNS = ("source", "own decoder", "other decoder", "mask", "masked swap")
TILE = 128
"""Smallest side of a tile; smaller models' pictures are enlarged to it."""


def fixed_faces(pictures: Pictures, yaws: Sequence[float], size: int, coverage: float) -> Tensor:
    """The crops of a person that every sheet shows, spread evenly over yaw: ``(N, 3, size, size)`` in [-1, 1]."""
    order = np.argsort(yaws, kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(FACES, len(order))).astype(int)]
    faces = np.stack([central(pictures.image(index), size, coverage) for index in chosen])
    return torch.from_numpy(faces).permute(0, 3, 1, 2).float() / 127.5 - 1


def central(crop: Image, size: int, coverage: float) -> Image:
    """What the model sees of an aligned crop: its central ``coverage``, ``size`` pixels square."""
    scale = size / (crop.shape[0] * coverage)
    offset = (size - 1) / 2 - scale * (crop.shape[0] - 1) / 2
    matrix = np.array([[scale, 0.0, offset], [0.0, scale, offset]])
    return cv2.warpAffine(crop, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)  # type: ignore[return-value]


@torch.inference_mode()
def sheet(generator: Swappable, faces: dict[str, Tensor], phase: Phase) -> Image:
    """A row a face; :data:`COLUMNS` for A, and beside them for B. ``(H, W, 3)`` RGB."""
    blocks = []
    for person in PERSONS:
        source = faces[person]
        code = generator.encode(source)
        own = generator.decode(code, decoder_of(person, phase))
        other = generator.decode(code, decoder_of(OTHER[person], phase))
        alpha = swap_alpha(own, other)
        swapped = alpha * other.colour + (1 - alpha) * source
        mask = (alpha * 2 - 1).expand(-1, 3, -1, -1)
        blocks.append(torch.cat([source, own.colour, other.colour, mask, swapped], dim=3))
    rows = torch.cat(blocks, dim=3).float().cpu()
    picture = ((rows.permute(0, 2, 3, 1).flatten(0, 1) + 1) * 127.5).round().clamp(0, 255).byte().numpy()
    return _titled(_enlarged(picture, faces["a"].shape[-1]))


def _enlarged(picture: NDArray[np.uint8], size: int) -> Image:
    factor = max(1, TILE // size)
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)  # type: ignore[return-value]


def _titled(picture: Image) -> Image:
    """A line with the columns' names on top."""
    titles = [f"{person.upper()}: {title}" for person in PERSONS for title in COLUMNS]
    height, width = 28, picture.shape[1] // len(titles)
    bar = np.full((height, picture.shape[1], 3), 24, np.uint8)
    for number, title in enumerate(titles):
        (text_width, _), _ = cv2.getTextSize(title, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
        place = (number * width + (width - text_width) // 2, 19)
        cv2.putText(bar, title, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (235, 235, 235), 1, cv2.LINE_AA)
    return np.concatenate([bar, picture])


def save(run_dir: Path, iteration: int, picture: Image) -> Path:
    """Keep a sheet as ``previews/000300.png``; its path relative to the run folder."""
    path = Path(FOLDER) / f"{iteration:06d}.png"
    (run_dir / FOLDER).mkdir(parents=True, exist_ok=True)
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    replace_file(run_dir / path, data.tobytes())
    return path

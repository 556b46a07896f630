"""A trained run as something that draws faces: what conversion needs of it, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from faceengine.device import choose_device, choose_precision
from faceengine.errors import ConfigError
from faceengine.geometry import Image
from faceengine.networks.model import Generator, Swappable
from faceengine.training import checkpoints
from faceengine.training.schedule import Phase
from faceengine.training.step import decoder_of

DIRECTIONS = {"a2b": ("a", "b"), "b2a": ("b", "a")}
"""Direction → (person whose face is replaced, person whose face it becomes)."""


@dataclass(frozen=True)
class Identity:
    """How a person is recognised: ``medoid (D,)`` is the embedding of the person's most typical face."""

    network: str
    medoid: NDArray[np.float64]


class Swapper:
    """Draws the wanted person over aligned faces of the other one."""

    def __init__(
        self, generator: Generator, header: checkpoints.Header, direction: str, precision: torch.dtype
    ) -> None:
        replaced, wanted = DIRECTIONS[direction]
        self.size: int = generator.config.size
        self.coverage: float = generator.config.coverage
        self.person = _identity(header.people[replaced])
        self.wanted = _identity(header.people[wanted])
        self.perceptual = header.perceptual
        self._model: Swappable = generator
        phase = Phase(0.0, exchanged=header.exchanged)
        self._other = decoder_of(wanted, phase)
        # Only an alpha that was taught the visible face tells hair from face; any other is not worth a second decoder.
        knows_hair = header.recipe.get("alpha_face", 0) > 0
        self._own = decoder_of(replaced, phase) if knows_hair else None
        self._device = next(generator.parameters()).device
        self._precision = precision

    @torch.inference_mode()
    def __call__(self, crops: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """``(B, size, size, 3)`` uint8 RGB, cut with ``align_matrix(points, size, coverage)`` →
        colour ``(B, size, size, 3)`` in [0, 255] and masks ``(B, size, size, 2)`` in [0, 1], float32: where the drawn
        picture shows the face, and where the crop does (1 everywhere if the model was not taught that)."""
        x = torch.from_numpy(np.ascontiguousarray(crops)).to(self._device).permute(0, 3, 1, 2).float() / 127.5 - 1
        enabled = self._precision is not torch.float32
        with torch.autocast(self._device.type, self._precision, enabled=enabled):
            code = self._model.encode(x)
            other = self._model.decode(code, self._other)
            drawn = other.alpha
            visible = torch.ones_like(drawn) if self._own is None else self._model.decode(code, self._own).alpha
        colour = (other.colour.float() + 1) * 127.5
        masks = torch.cat([drawn, visible], dim=1).float()
        return colour.permute(0, 2, 3, 1).cpu().numpy(), masks.permute(0, 2, 3, 1).cpu().numpy()


def load_swapper(model: Path, direction: str, *, device: str = "auto", precision: str = "auto") -> Swapper:
    """The newest checkpoint of a run folder, or the checkpoint ``model``, ready to draw in one direction.

    Uses the moving average of the weights. Raises :class:`InputError` if it is missing, damaged or not ours.
    """
    if direction not in DIRECTIONS:
        raise ConfigError("direction", f"direction must be one of {', '.join(DIRECTIONS)}, not {direction!r}")
    path = checkpoints.newest(model)
    header = checkpoints.read_header(path)
    checkpoints.people_of(header, path)  # a damaged record must show before the networks are loaded
    generator = Generator(checkpoints.model_of(header, path))
    checkpoints.load_into(generator, checkpoints.read_tensors(path, "average."), path)
    where = choose_device(device)
    generator = generator.eval().to(where).to(memory_format=torch.channels_last)
    return Swapper(generator, header, direction, choose_precision(precision, where))


def _identity(person: dict[str, Any]) -> Identity:
    return Identity(person["network"], np.array(person["medoid"], dtype=np.float64))

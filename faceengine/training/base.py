"""The base model: what networks of a preset's shape know of faces before they have seen a real one.

Learned from synthetic people (``tools/base_model``). One file for each shape, beside the networks: the shared encoder
and one decoder, which both people start from, in half precision.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from faceengine import weights
from faceengine.errors import ConfigError, InputError
from faceengine.files import partial, publish, sha256
from faceengine.networks.config import ModelConfig
from faceengine.networks.model import PERSONS
from faceengine.training.checkpoints import State, read_tensors

NAMES = tuple(name for name in weights.WEIGHTS if name.startswith("base-"))
FORMAT = 1
"""Version of the file's layout."""
_KEY = "faceengine-base"


def base_of(model: ModelConfig) -> Path | None:
    """Return the base weights for networks of this shape, or ``None`` if there are none.

    Raises :class:`InputError` ``weights.hash`` for a damaged file and ``base.version`` for one of another version.
    """
    for name in NAMES:
        if weights.find(name) is not None and shape_of(path := weights.require(name)) == model:
            return path
    return None


def shape_of(path: Path) -> ModelConfig:
    """Return the shape of the networks that a base file is for. Raises as :func:`base_of` does."""
    try:
        with safe_open(path, "pt") as file:
            header = json.loads(file.metadata()[_KEY])
        if header["format"] == FORMAT:
            return ModelConfig.from_dict(header["model"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, ConfigError):
        pass
    text = f"{path} is no base model of this version: install the program again, or begin without it (--from none)"
    raise InputError("base.version", text)


def read(path: Path) -> State:
    """Return the weights of a whole generator, its two decoders alike, as 32-bit numbers."""
    encoder, decoder = (read_tensors(path, f"{part}.") for part in ("encoder", "decoder"))
    state = {f"encoder.{name}": value.float() for name, value in encoder.items()}
    for person in PERSONS:
        state |= {f"decoders.{person}.{name}": value.float() for name, value in decoder.items()}
    return state


def write(path: Path, state: State, model: ModelConfig, iterations: int) -> tuple[int, str]:
    """Write ``encoder.…`` and ``decoder.…`` weights as a base file; return its bytes and SHA-256."""
    header = {"format": FORMAT, "model": model.to_dict(), "iterations": iterations}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = partial(path)
    try:
        halves = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in state.items()}
        save_file(halves, part, {_KEY: json.dumps(header)})
        with part.open("rb") as file:
            os.fsync(file.fileno())
        publish(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path.stat().st_size, sha256(path)

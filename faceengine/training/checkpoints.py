"""Checkpoints: one safetensors file each, that is whole or not there.

``checkpoints/000300.safetensors`` holds, by prefix, ``generator.``, ``average.`` (the moving average that conversion
uses), ``discriminators.`` and the optimisers' state; in its header, as JSON: iteration, length of the schedule,
recipe, seed, people. Nothing else random exists: batches come from seed and iteration (``data.py``).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from faceengine.errors import ConfigError, InputError
from faceengine.files import partial, publish
from faceengine.networks.config import ModelConfig
from faceengine.networks.model import PERSONS
from faceengine.training.config import Recipe

FOLDER = "checkpoints"

State = dict[str, Tensor]


@dataclass(frozen=True)
class Header:
    """What a checkpoint says of itself."""

    iteration: int
    """Iterations done; the next one has this number."""
    total: int
    """Length of the schedule."""
    recipe: dict[str, Any]
    """As the program that wrote it knew recipes: see :func:`recipe_of`."""
    seed: int
    exchanged: bool
    """Whether the decoders of A and B have changed places."""
    quality: float
    """Mean reconstruction loss of both sides since the last checkpoint; the smaller the better."""
    people: dict[str, dict[str, Any]]
    """For ``a`` and ``b``: ``network``, ``medoid`` (list of numbers), ``crops``."""
    perceptual: str | None
    """The network of the perceptual loss, if there was one: a score by the same network is not independent."""


def name_of(iteration: int) -> str:
    return f"{iteration:06d}.safetensors"


def save(run_dir: Path, header: Header, tensors: State) -> Path:
    """Write a checkpoint durably. A full disk raises :class:`OSError` and leaves what was there before."""
    path = run_dir / FOLDER / name_of(header.iteration)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = partial(path)
    try:
        save_file({k: v.contiguous() for k, v in tensors.items()}, part, {"faceengine": json.dumps(header.__dict__)})
        with part.open("rb") as file:
            os.fsync(file.fileno())
        publish(part, path)
    except SafetensorError as error:
        # The library wraps what the system said; a full disk must still be seen as one.
        raise OSError(_errno_in(str(error)), str(error)) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _errno_in(text: str) -> int:
    """The number in the library's "… (os error 28)", or 5 (input/output error)."""
    _, _, after = text.partition("os error ")
    digits = after.split(")")[0]
    return int(digits) if digits.isdigit() else 5


def read_header(path: Path) -> Header:
    """Raises :class:`InputError` for a file that is no checkpoint or is damaged."""
    try:
        with safe_open(path, "pt") as file:
            values = json.loads(file.metadata()["faceengine"])
            # Later programs may say more of a checkpoint, and earlier ones said more: what is needed must be there.
            return Header(**{name: _typed(name, values[name], kinds) for name, kinds in _TYPES.items()})
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error


_TYPES: dict[str, tuple[type, ...]] = {
    "iteration": (int,),
    "total": (int,),
    "recipe": (dict,),
    "seed": (int,),
    "exchanged": (bool,),
    "quality": (int, float),
    "people": (dict,),
    "perceptual": (str, type(None)),
}
"""Of :class:`Header`'s fields in JSON."""


def _typed(name: str, value: Any, kinds: tuple[type, ...]) -> Any:
    if type(value) not in kinds:
        raise TypeError(f"{name} is of the type {type(value).__name__}")
    return value


def _damaged(path: Path) -> InputError:
    text = f"{path} is damaged or no checkpoint of this program: use another one of its run, or train again"
    return InputError("checkpoint.damaged", text)


def people_of(header: Header, path: Path) -> dict[str, dict[str, Any]]:
    """The records of ``a`` and ``b``. Raises :class:`InputError` ``checkpoint.damaged`` unless both can be recognised
    by them."""
    try:
        people = {person: header.people[person] for person in PERSONS}
        for one in people.values():
            _typed("network", one["network"], (str,))
            if not np.isfinite(np.array(one["medoid"], dtype=np.float64)).all():
                raise ValueError("the medoid is not a number")
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error
    return people


def recipe_of(header: Header, path: Path) -> Recipe:
    """The recipe of a checkpoint, with today's defaults for options that did not exist when it was written.

    A default never changes what a recipe means, so a run goes on whatever options have been added since. Raises
    :class:`InputError` ``checkpoint.version`` for options or an architecture that this version does not have.
    """
    model_of(header, path)
    kept = {name: value for name, value in header.recipe.items() if _REMOVED.get(name) != value}
    try:
        return Recipe.from_dict(kept)
    except ConfigError as error:
        text = (
            f"{path} was trained by another version of this program ({error}): begin a new run, or go on with the "
            "version that trained it"
        )
        raise InputError("checkpoint.version", text) from error


_REMOVED = {"ssim": 0.0}
"""Options of earlier recipes that are no more, and the value with which they did nothing."""


def model_of(header: Header, path: Path) -> ModelConfig:
    """The shape of a checkpoint's networks; raises as :func:`recipe_of` does, but knows any recipe's losses."""
    try:
        return ModelConfig.from_dict(_typed("model", header.recipe["model"], (dict,)))
    except (KeyError, TypeError) as error:
        raise _damaged(path) from error
    except ConfigError as error:
        text = f"the networks of {path} are not of this version ({error}): install the version that trained it"
        raise InputError("checkpoint.version", text) from error


def read_tensors(path: Path, prefix: str) -> State:
    """All tensors whose names start with ``prefix``, on the CPU, with the prefix taken off."""
    try:
        with safe_open(path, "pt") as file:
            return {name.removeprefix(prefix): file.get_tensor(name) for name in file.keys() if name.startswith(prefix)}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _damaged(path) from error


def require_model(header: Header, path: Path, model: ModelConfig) -> None:
    """Raise :class:`InputError` unless a checkpoint's networks are of the shape ``model``: ``checkpoint.preset``, or
    as :func:`model_of` does. How much of a crop they see changes no shape."""
    ours, theirs = model.to_dict(), model_of(header, path).to_dict()
    names = [name for name in ours if name != "coverage" and theirs[name] != ours[name]]
    if differs := [f"{name} {theirs[name]} instead of {ours[name]}" for name in names]:
        text = f"{path} is of another preset ({', '.join(differs)}): choose a checkpoint or preset of the same networks"
        raise InputError("checkpoint.preset", text)


def load_into(module: nn.Module, state: State, path: Path) -> None:
    """Set all weights of a module of the checkpoint's shape. Raises :class:`InputError` ``checkpoint.version`` unless
    names and shapes agree exactly: then another version of this program has built the networks otherwise."""
    ours = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    theirs = {name: tuple(tensor.shape) for name, tensor in state.items()}
    if ours != theirs:
        odd = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
        text = (
            f"the networks of {path} are not of this version ({len(odd)} of its weights do not fit, for example "
            f"{odd[0]}): install the version that trained it, or train again"
        )
        raise InputError("checkpoint.version", text)
    module.load_state_dict(state)


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> State:
    """Adam's state as flat tensors: ``<parameter's number>.<exp_avg | exp_avg_sq | step>``."""
    state = optimiser.state_dict()["state"]
    return {f"{index}.{name}": value for index, values in state.items() for name, value in values.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: State) -> None:
    """The inverse of :func:`optimiser_tensors`."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, kind = name.partition(".")
        state.setdefault(int(index), {})[kind] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    # The fused kernel walks weights and moments side by side in memory: they must lie there in the same order.
    for parameter, values in optimiser.state.items():
        for kind, value in values.items():
            if value.shape == parameter.shape:
                values[kind] = torch.empty_like(parameter).copy_(value)


def all_in(run_dir: Path) -> list[Path]:
    """A run's checkpoints from the oldest to the newest."""
    return sorted(path for path in (run_dir / FOLDER).glob("*.safetensors") if not path.name.startswith("."))


def newest(model: Path) -> Path:
    """``model`` itself if it is a checkpoint, or a run's newest one. Raises :class:`InputError` if there is none."""
    if model.is_file():
        return model
    if found := all_in(model):
        return found[-1]
    what = "holds no checkpoint" if model.is_dir() else "is not there"
    raise InputError("run.missing", f"{model} {what}: train first, or name a run folder or a checkpoint")


def prune(run_dir: Path, keep_every: int) -> None:
    """Keep the newest, the best, and every ``keep_every``-th iteration's; remove the others and torn left-overs."""
    for torn in (run_dir / FOLDER).glob(".*.part.*"):
        torn.unlink()
    headers = {path: read_header(path) for path in all_in(run_dir)}
    if not headers:
        return
    best = min(headers, key=lambda path: headers[path].quality)
    kept = {best, max(headers)}
    for path, header in headers.items():
        if path not in kept and not (keep_every and header.iteration % keep_every == 0):
            path.unlink()

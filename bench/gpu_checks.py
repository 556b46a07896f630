"""Does the GPU compute what the CPU does, and does the CPU run ahead of it?"""

from __future__ import annotations

import copy
import dataclasses
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from bench.gpu import Row, row
from bench.gpu_setting import LOG_EVERY, ON, Setting, attempt, train_config, trainer_of
from bench.training import random_batch
from faceengine.training.config import PRESETS, Recipe
from faceengine.training.step import Values
from faceengine.training.train import follow

TOLERANCE = 2e-2
"""Largest relative difference of a loss between the device and the CPU in float32 (TF32 off)."""
ROUGH = 0.2
"""The same between bfloat16 and float32 on the device."""


def losses(setting: Setting) -> Iterator[Row]:
    """Every loss of a first iteration on the device beside the CPU's, and in bfloat16 beside float32."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    for name in setting.presets("quick", "lite-64", "fine", "standard-64"):
        recipe = dataclasses.replace(PRESETS[name], batch=2, cycle=10.0, adversarial=0.1)
        with attempt(setting, f"{name}: losses") as rows:
            on_cpu = _first(recipe, torch.device("cpu"), torch.float32)
            there = _first(recipe, setting.device, torch.float32)
            rough = _first(recipe, setting.device, torch.bfloat16)
            worst, loss = _largest(there, on_cpu)
            rows.append(
                row(f"{name}: largest difference from the CPU ({loss})", worst, "relative", "", f"≤ {TOLERANCE}")
            )
            worst, loss = _largest(rough, there)
            rows.append(row(f"{name}: bfloat16 from float32 ({loss})", worst, "relative", "", f"≤ {ROUGH}"))
        yield from rows


def _first(recipe: Recipe, device: torch.device, precision: torch.dtype) -> dict[str, float]:
    values = trainer_of(recipe, device, precision).step(random_batch(recipe).to(device), ON)
    return {name: float(value) for name, value in values.items()}


def _largest(ours: dict[str, float], theirs: dict[str, float]) -> tuple[float, str]:
    return max((abs(ours[name] - theirs[name]) / max(abs(theirs[name]), 1e-3), name) for name in theirs)


def waiting(setting: Setting) -> Iterator[Row]:
    """Where iterations make the CPU wait for the GPU: it should run ahead, and wait only where something is written."""
    for name in setting.presets("quick", "lite-64", "standard", "fine"):
        with attempt(setting, f"{name}: waiting") as rows:
            rows.append(_waits(f"{name}: iterations that wait", _bare_iterations(setting, name)))
        yield from rows
    with attempt(setting, "training loop: waiting") as rows:
        rows.append(_waits("the training loop, where nothing is written: waits", _real_loop(setting)))
    yield from rows


def _bare_iterations(setting: Setting, preset: str) -> set[str]:
    recipe = setting.recipe(preset)
    trainer = trainer_of(recipe, setting.device, torch.bfloat16)
    average = copy.deepcopy(trainer.generator).requires_grad_(False)
    batch, sums = random_batch(recipe), dict[str, torch.Tensor]()
    if setting.cuda:
        batch = batch.pin_memory()

    def iterate(number: int) -> None:
        values: Values = trainer.step(batch.to(setting.device), ON)
        follow(average, trainer.generator, number, recipe.ema)
        for name, value in values.items():
            sums[name] = sums.get(name, 0) + value

    iterate(0)
    with _watched(setting) as places:
        for number in range(1, 4):
            iterate(number)
    return places


def _real_loop(setting: Setting) -> set[str]:
    """The real loop with its data loader, watched in the iterations after which it writes nothing."""
    from faceengine.training import train

    done, watch, found = -1, None, set[str]()

    def asked() -> bool:
        """Called once before the first iteration and then once after each, before anything is written."""
        nonlocal done, watch
        done += 1
        if watch is not None:
            watch.__exit__(None, None, None)
            watch = None
        if done >= LOG_EVERY and done % LOG_EVERY:
            watch = _watched(setting, found)
            watch.__enter__()
        return False

    total = LOG_EVERY * (2 if setting.small else 4)  # a multiple: the last iteration writes, and isn't watched then
    train.run(train_config(setting, "quick", iterations=total), setting.folder / "watched", should_stop=asked)
    return found


@contextmanager
def _watched(setting: Setting, places: set[str] | None = None) -> Iterator[set[str]]:
    """Collect the lines at which CUDA synchronises."""
    found = set[str]() if places is None else places
    if not setting.cuda:
        yield found
        return
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield found
        finally:
            torch.cuda.set_sync_debug_mode("default")
            found |= {f"{Path(one.filename).name}:{one.lineno}" for one in told if "synchronizing" in str(one.message)}


def _waits(name: str, places: set[str]) -> Row:
    return row(f"{name}{' at ' if places else ''}{', '.join(sorted(places))}", len(places), "places", "", "0")

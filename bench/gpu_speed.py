"""Images a second of every preset, plain and compiled, memory, and the largest batch that fits."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import torch

from bench.gpu import Row, row
from bench.gpu_setting import ON, Setting, attempt, free, peak_memory, reset_memory, speed_of, synchronise, trainer_of
from bench.training import random_batch
from faceengine.errors import out_of_memory
from faceengine.training.config import PRESETS, Recipe


def speeds(setting: Setting) -> Iterator[Row]:
    """Images a second of each preset with all its losses, by arithmetic (float32 as torch has it: TF32 where it is)."""
    names = ("quick", "standard", "fine", "lite-64", "standard-64", "standard-128", "standard-256")
    for name in setting.presets(*names):
        rates: dict[str, float] = {}
        for precision in (torch.float32, torch.bfloat16):
            arithmetic = str(precision).removeprefix("torch.")
            with attempt(setting, f"{name}, {arithmetic}") as rows:
                recipe = setting.recipe(name)
                rates[arithmetic], peak = speed_of(setting, trainer_of(recipe, setting.device, precision), recipe)
                text = f"{name}, batch {recipe.batch}, {arithmetic}{peak}"
                beside = rates.get("float32", "") if precision is torch.bfloat16 else ""
                rows.append(row(text, rates[arithmetic], "images/s", beside))
            yield from rows


def compiled(setting: Setting) -> Iterator[Row]:
    """The standard preset with compiled networks beside itself."""
    yield from _compiled(setting, "default")


def graphs(setting: Setting) -> Iterator[Row]:
    """The same recorded as CUDA graphs: shapes are static, so an iteration is launched as a whole."""
    yield from _compiled(setting, "reduce-overhead")


def _compiled(setting: Setting, mode: str) -> Iterator[Row]:
    recipe = setting.recipe("quick" if setting.small else "standard")
    with attempt(setting, f"compiled, {mode}") as rows:
        eager, _ = speed_of(setting, trainer_of(recipe, setting.device, torch.bfloat16), recipe)
        free(setting)
        trainer = trainer_of(recipe, setting.device, torch.bfloat16)
        for part in (trainer.generator.encoder, *trainer.generator.decoders.values(), *trainer.discriminators.values()):
            part.compile(mode=mode)
        began = time.monotonic()
        # Each network is compiled with and without gradients of its own, and a graph is recorded on its second run.
        rate, peak = speed_of(setting, trainer, recipe, warm=6)
        seconds = f"{time.monotonic() - began:.0f} s with compiling"
        rows.append(row(f"compiled ({mode}) beside eager, bfloat16, {seconds}{peak}", rate, "images/s", eager))
    yield from rows


def batches(setting: Setting, most: int = 512) -> Iterator[Row]:
    """The largest batch of crops a person that one iteration takes, by doubling."""
    for name in setting.presets("standard", "fine", "standard-128"):
        with attempt(setting, f"{name}: largest batch") as rows:
            fits, peak, batch = 0, "", setting.recipe(name).batch
            limit = 4 if setting.small else most
            while batch <= limit:
                at = _memory_of_batch(setting, dataclasses.replace(PRESETS[name], batch=batch))
                free(setting)
                if at is None:
                    break
                fits, peak, batch = batch, at, 2 * batch
            text = f"{name}: largest batch" + (" (the most that was tried)" if fits == limit else "")
            rows.append(row(text + peak, fits, "crops a person"))
        yield from rows


def _memory_of_batch(setting: Setting, recipe: Recipe) -> str | None:
    """The peak of memory of an iteration; ``None`` if it does not fit."""
    reset_memory(setting)
    try:
        trainer = trainer_of(recipe, setting.device, torch.bfloat16)
        for _ in range(2):  # the optimisers' state comes with the first step
            trainer.step(random_batch(recipe).to(setting.device), ON)
        synchronise(setting)
    except Exception as error:
        if out_of_memory(error):
            return None
        raise
    return peak_memory(setting)

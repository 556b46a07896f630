"""Training speed: our step beside the plain port, and what octave convolutions cost and save."""

from __future__ import annotations

import copy
import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.plain_port import PlainTrainer
from faceengine.device import choose_device, choose_precision
from faceengine.networks.config import ModelConfig
from faceengine.networks.model import PERSONS, Discriminators, Generator
from faceengine.training.config import PRESETS, Recipe
from faceengine.training.data import Batch, Faces
from faceengine.training.pictures import MASKS
from faceengine.training.schedule import phase
from faceengine.training.side_by_side import SideBySide
from faceengine.training.step import Trainer, build_optimisers

ROUNDS = 3


def rows() -> list[dict[str, Any]]:
    """The table's rows of training."""
    return [*speed_rows(PRESETS["standard-64"]), *octave_rows()]


def random_batch(recipe: Recipe, seed: int = 0) -> Batch:
    """Smooth random pictures and masks of the recipe's shapes."""
    rng = torch.Generator().manual_seed(seed)
    size, count = recipe.model.size, recipe.batch

    def smooth(channels: int) -> torch.Tensor:
        coarse = torch.rand(count, channels, 8, 8, generator=rng)
        return torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")

    def faces() -> Faces:
        return Faces(smooth(3) * 2 - 1, smooth(3) * 2 - 1, {name: smooth(1) for name in MASKS})

    return Batch({person: faces() for person in PERSONS}, 0.7)


def build(recipe: Recipe, precision: str) -> Trainer:
    """A trainer with weights from seed 0, laid out as training lays them out."""
    torch.manual_seed(0)
    device = choose_device("cpu")
    generator = Generator(recipe.model).to(memory_format=torch.channels_last)
    discriminators = Discriminators(recipe.model).to(memory_format=torch.channels_last)
    optimisers = build_optimisers(generator, discriminators, recipe)
    return Trainer(
        generator, discriminators, *optimisers, recipe, choose_precision(precision, device), SideBySide(device)
    )


def build_plain(recipe: Recipe) -> PlainTrainer:
    """The plain port with the same weights."""
    torch.manual_seed(0)
    return PlainTrainer(Generator(recipe.model), Discriminators(recipe.model), recipe)


def speed_rows(recipe: Recipe) -> list[dict[str, Any]]:
    """Images a second of ours and of the plain port, in turn on the same batches, perceptual off on both sides."""
    recipe = dataclasses.replace(recipe, l2=0.0)  # the plain port has none
    now = phase(0, recipe.iterations, recipe)
    plain, ours, exact = build_plain(recipe), build(recipe, "auto"), build(recipe, "float32")
    first = random_batch(recipe)
    expected = plain.step(copy.deepcopy(first))
    found = exact.step(first, now)
    difference = max(abs(float(expected[name] - found[name])) / abs(float(expected[name])) for name in expected)
    ours.step(first, now)
    times: dict[str, list[float]] = {"plain": [], "ours": [], "exact": []}
    for number in range(ROUNDS):
        batch = random_batch(recipe, number + 1)
        times["plain"].append(timed(lambda: plain.step(batch)))  # noqa: B023 - called at once
        for _ in range(2):
            times["ours"].append(timed(lambda: ours.step(batch, now)))  # noqa: B023
        times["exact"].append(timed(lambda: exact.step(batch, now)))  # noqa: B023
    images = 2 * recipe.batch
    rate = {name: images / statistics.median(values) for name, values in times.items()}
    arithmetic = str(ours.precision).removeprefix("torch.")
    name = f"training {'lite' if recipe.model.lite else 'standard'}-{recipe.model.size}, batch {recipe.batch}"
    return [
        _row(f"{name}, {arithmetic}", rate["ours"], rate["plain"], "images/s", "≥ 5"),
        _row(f"{name}, float32", rate["exact"], rate["plain"], "images/s", ""),
        {
            "name": "largest relative difference of any loss, float32 beside the plain port, same weights and batch",
            "ours": f"{difference:.1e}", "yardstick": "", "ratio": "", "unit": "", "asked": "equal",
        },
    ]  # fmt: skip


def octave_rows() -> list[dict[str, Any]]:
    """Multiplications and time of a forward and backward pass of the lite-64 generator at each octave share."""
    found = []
    plain_flops, plain_time = _octave_cost(0.0)
    for alpha in (0.125, 0.25, 0.5):
        flops, seconds = _octave_cost(alpha)
        found.append(_row(f"octave convolutions, alpha {alpha}: GFLOP of a pass", flops, plain_flops, "GFLOP", ""))
        found.append(_row(f"octave convolutions, alpha {alpha}: passes", 1 / seconds, 1 / plain_time, "1/s", ""))
    return found


def _octave_cost(alpha: float) -> tuple[float, float]:
    """GFLOP of a forward pass of 8 faces, and the median seconds of forward and backward."""
    torch.manual_seed(0)
    generator = Generator(ModelConfig(lite=True, octave=alpha, attention=0)).to(memory_format=torch.channels_last)
    image = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (8, 3, 64, 64)).astype(np.float32))

    def forward() -> torch.Tensor:
        drawn = generator.decoders["a"](generator.encoder(image))
        return drawn.masked(image).mean()  # type: ignore[no-any-return]

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        forward()
    forward().backward()  # type: ignore[no-untyped-call]
    seconds = [timed(lambda: forward().backward()) for _ in range(5)]  # type: ignore[no-untyped-call]
    return counter.get_total_flops() / 1e9, statistics.median(seconds)


def timed(work: Callable[[], Any]) -> float:
    """Seconds that one call takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _row(name: str, ours: float, yardstick: float, unit: str, asked: str) -> dict[str, Any]:
    return {
        "name": name, "ours": round(ours, 3), "yardstick": round(yardstick, 3), "ratio": round(ours / yardstick, 2),
        "unit": unit, "asked": asked,
    }  # fmt: skip


if __name__ == "__main__":
    from bench.__main__ import table

    print(table(rows()))

"""What the parts of the GPU check share: their setting, guards, trainers, and how speed and memory are measured."""

from __future__ import annotations

import dataclasses
import gc
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import torch

from bench.gpu import FAILED, ROOT, Row, row
from bench.training import random_batch
from faceengine.networks.model import Discriminators, Generator
from faceengine.training.config import PRESETS, Recipe, TrainConfig
from faceengine.training.schedule import Phase
from faceengine.training.side_by_side import SideBySide
from faceengine.training.step import Trainer, build_optimisers

ON = Phase(1.0, adversarial=True)
DEMO = ROOT / "demo"
LOG_EVERY = 10


@dataclasses.dataclass(frozen=True)
class Setting:
    """What all parts are told."""

    device: torch.device
    folder: Path
    """For runs and videos, shared by the parts."""
    faces: Path
    """The face sets ``a`` and ``b``."""
    keep: Path
    """For the preview sheet."""
    small: bool
    """Few and small iterations: the check itself is tried."""

    @property
    def cuda(self) -> bool:
        return self.device.type == "cuda"

    def recipe(self, preset: str) -> Recipe:
        recipe = PRESETS[preset]
        return dataclasses.replace(recipe, batch=2) if self.small else recipe

    def presets(self, *names: str) -> tuple[str, ...]:
        return names[:2] if self.small else names


def trainer_of(recipe: Recipe, device: torch.device, precision: torch.dtype) -> Trainer:
    """A trainer with weights from seed 0 on ``device``."""
    torch.manual_seed(0)
    generator = Generator(recipe.model).to(device).to(memory_format=torch.channels_last)
    discriminators = Discriminators(recipe.model).to(device).to(memory_format=torch.channels_last)
    optimisers = build_optimisers(generator, discriminators, recipe)
    return Trainer(generator, discriminators, *optimisers, recipe, precision, SideBySide(device))


def train_config(setting: Setting, preset: str, **changes: Any) -> TrainConfig:
    """A training on the face sets of the part ``faces``."""
    rare = 100_000
    return TrainConfig(
        a=setting.faces / "a",
        b=setting.faces / "b",
        preset=preset,
        device=str(setting.device),
        log_every=LOG_EVERY,
        preview_every=rare,
        checkpoint_every=rare,
        **changes,
    )


def speed_of(setting: Setting, trainer: Trainer, recipe: Recipe, now: Phase = ON, warm: int = 3) -> tuple[float, str]:
    """Images a second (median of blocks of iterations, so that the CPU may run ahead), and the peak of memory in words.

    The networks may be compiled; the results of an iteration are not used after the next one has begun.
    """
    blocks, length = (2, 1) if setting.small else (5, 8)
    batch = random_batch(recipe).to(setting.device)
    reset_memory(setting)

    def block(iterations: int) -> float:
        synchronise(setting)
        began = time.perf_counter()
        for _ in range(iterations):
            if setting.cuda:
                torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
            trainer.step(batch, now)
        synchronise(setting)
        return time.perf_counter() - began

    block(1 if setting.small else warm)
    seconds = median(block(length) for _ in range(blocks))
    return 2 * recipe.batch * length / seconds, peak_memory(setting)


@contextmanager
def attempt(setting: Setting, name: str) -> Iterator[list[Row]]:
    """A list of rows to fill; what fails meanwhile is a row of its own. Memory is given back in the end."""
    rows: list[Row] = []
    try:
        yield rows
    except Exception as error:
        traceback.print_exc()
        rows.append(row(f"{name}: {type(error).__name__} at {_place(error)}: {error}"[:300], FAILED))
    free(setting)


def _place(error: BaseException) -> str:
    """The last line of our own code that was on the way to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if str(ROOT) in frame.filename and "site-packages" not in frame.filename]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"


def free(setting: Setting) -> None:
    """Give memory back that nothing holds any more."""
    gc.collect()
    if setting.cuda:
        torch.cuda.empty_cache()


def synchronise(setting: Setting) -> None:
    if setting.cuda:
        torch.cuda.synchronize(setting.device)


def reset_memory(setting: Setting) -> None:
    if setting.cuda:
        torch.cuda.reset_peak_memory_stats(setting.device)


def peak_memory(setting: Setting) -> str:
    """What tensors have taken at most since :func:`reset_memory`, to stand behind a row's name."""
    return f", {torch.cuda.max_memory_allocated(setting.device) / 1e6:.0f} MB" if setting.cuda else ""

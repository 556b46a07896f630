"""``python -m bench.gpu [--write FILE]``: the GPU path checked and measured in at most eight minutes.

Losses on CUDA against the CPU, images a second of every preset, no waiting for the GPU inside an iteration, a short
real training with a preview sheet, conversion at 720p and 1080p, memory, and the largest batch that fits. Without a
GPU the table says so and claims nothing; ``--device cpu`` runs the same code, to try it out.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from bench.__main__ import between, table
from bench.training import random_batch
from faceengine.files import replace_file
from faceengine.networks.model import PERSONS, Discriminators, Generator
from faceengine.training.config import PRESETS, Recipe, TrainConfig
from faceengine.training.schedule import Phase
from faceengine.training.side_by_side import SideBySide
from faceengine.training.step import Trainer, build_optimisers

BEGIN, END = "<!-- bench-gpu: begin -->", "<!-- bench-gpu: end -->"
BUDGET = 480.0
"""Seconds of the whole check: what comes after is left out, and the table says so."""
ON = Phase(1.0, adversarial=True)
TOLERANCE = 2e-2
"""Largest relative difference of a loss between CUDA and CPU in float32 (TF32 off)."""
DEMO = Path(__file__).parents[1] / "demo"

Row = dict[str, Any]


def trainer_of(recipe: Recipe, device: torch.device, precision: torch.dtype) -> Trainer:
    """A trainer with weights from seed 0 on ``device``."""
    torch.manual_seed(0)
    generator = Generator(recipe.model).to(device).to(memory_format=torch.channels_last)
    discriminators = Discriminators(recipe.model).to(device).to(memory_format=torch.channels_last)
    optimisers = build_optimisers(generator, discriminators, recipe)
    return Trainer(generator, discriminators, *optimisers, recipe, precision, SideBySide(device))


def equal_losses(device: torch.device) -> Iterator[Row]:
    """Every loss of a first iteration on ``device`` beside the CPU's, one preset an architecture and size."""
    for name in ("quick", "fine", "lite-64", "standard-64"):
        recipe = dataclasses.replace(PRESETS[name], batch=2, cycle=10.0, adversarial=0.1)
        batch = random_batch(recipe)
        on_cpu, there = (
            trainer_of(recipe, where, torch.float32).step(copy.deepcopy(batch).to(where), ON)
            for where in (torch.device("cpu"), device)
        )
        worst = max(abs(float(there[key]) - float(on_cpu[key])) / max(abs(float(on_cpu[key])), 1e-3) for key in on_cpu)
        yield _row(f"{name}: largest difference of a loss from the CPU's", worst, "relative", f"≤ {TOLERANCE}")


def speeds(device: torch.device) -> Iterator[Row]:
    """Images a second of each preset, by arithmetic, compiled or not."""
    for name, recipe in PRESETS.items():
        for precision in (torch.float32, torch.bfloat16):
            rate, peak = _speed(trainer_of(recipe, device, precision), recipe, device)
            arithmetic = str(precision).removeprefix("torch.")
            yield _row(f"{name}, batch {recipe.batch}, {arithmetic}, eager", rate, "images/s", f"{peak:.0f} MB")
    for mode in ("default", "reduce-overhead"):
        recipe = PRESETS["standard"]
        trainer = trainer_of(recipe, device, torch.bfloat16)
        for part in (trainer.generator.encoder, *trainer.generator.decoders.values(), *trainer.discriminators.values()):
            part.compile(mode=mode)
        graphs = "with CUDA graphs" if mode == "reduce-overhead" else "without CUDA graphs"
        rate, peak = _speed(trainer, recipe, device)
        yield _row(f"standard, bfloat16, compiled {graphs}", rate, "images/s", f"{peak:.0f} MB")


def _speed(trainer: Trainer, recipe: Recipe, device: torch.device, rounds: int = 12) -> tuple[float, float]:
    """Images a second (median of ``rounds`` iterations), and peak megabytes."""
    batch = random_batch(recipe).to(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    for _ in range(3):
        trainer.step(batch, ON)
    seconds = [_timed(lambda: trainer.step(batch, ON), device) for _ in range(rounds)]
    peak = torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else float("nan")
    return 2 * recipe.batch / statistics.median(seconds), peak


def no_waiting(device: torch.device) -> Iterator[Row]:
    """Whether iterations make the CPU wait for the GPU: CUDA raises where they would."""
    for name in ("quick", "standard", "fine", "lite-64"):
        recipe = PRESETS[name]
        trainer, batch = trainer_of(recipe, device, torch.bfloat16), random_batch(recipe).to(device)
        trainer.step(batch, ON)
        with _forbidden_waits(device):
            for _ in range(3):
                trainer.step(batch, ON)
        yield _row(f"{name}: iterations that wait for the GPU", 0, "of 3", "0")


@contextmanager
def _forbidden_waits(device: torch.device) -> Iterator[None]:
    if device.type != "cuda":
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def largest_batch(device: torch.device, most: int = 512) -> Iterator[Row]:
    """The largest power of two of crops a person that one iteration of a preset takes."""
    for name in ("standard", "fine", "standard-128"):
        fits, batch = 0, PRESETS[name].batch
        while batch <= most:
            recipe = dataclasses.replace(PRESETS[name], batch=batch)
            try:
                trainer_of(recipe, device, torch.bfloat16).step(random_batch(recipe).to(device), ON)
            except torch.OutOfMemoryError:
                break
            fits, batch = batch, 2 * batch
        yield _row(f"{name}: largest batch", fits, "crops", f"tried up to {most}")


def real_training(device: torch.device, minutes: float = 1.0, preset: str = "standard") -> Iterator[Row]:
    """A training on the demo's faces, its last preview sheet kept beside the table, and conversions by it."""
    from faceengine.conversion import convert
    from faceengine.conversion.config import ConvertConfig
    from faceengine.extraction import extract
    from faceengine.extraction.config import ExtractConfig
    from faceengine.training import train

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for person in PERSONS:
            clip = DEMO / f"person_{person}.mp4"
            extract.run(ExtractConfig(inputs=(clip,), every=3, device=str(device)), place / person)
        config = TrainConfig(a=place / "a", b=place / "b", preset=preset, minutes=minutes, device=str(device))
        result = train.run(config, place / "run")
        yield _row(f"{preset}, {minutes:g} minutes of real training", result.iteration, "iterations", "")
        sheet = sorted((place / "run" / "previews").iterdir())[-1]
        replace_file(Path("check-gpu-preview.png"), sheet.read_bytes())
        for height in (720, 1080):
            clip = _scaled(place, height)
            chosen = ConvertConfig(video=clip, model=place / "run", direction="a2b", device=str(device))
            done = convert.run(chosen, place)
            yield _row(f"conversion, {height}p, {preset}", done.fps, "frames/s", "")


def _scaled(folder: Path, height: int) -> Path:
    import subprocess

    import imageio_ffmpeg

    path = folder / f"{height}.mp4"
    size = f"scale=-2:{height},pad={height * 16 // 9}:{height}:(ow-iw)/2:0"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(DEMO / "held_out_a.mp4"), "-vf", size]
    subprocess.run([*command, "-preset", "veryfast", str(path)], check=True)
    return path


def rows(device: torch.device, parts: list[Callable[[torch.device], Iterator[Row]]]) -> list[Row]:
    """All rows of these parts, as far as :data:`BUDGET` goes; a part that fails says why in a row of its own."""
    found: list[Row] = []
    began = time.monotonic()
    for part in parts:
        try:
            for row in part(device):
                print(row["name"], row["ours"], row["unit"], file=sys.stderr, flush=True)
                found.append(row)
                if time.monotonic() - began > BUDGET:
                    return [*found, _row(f"{part.__name__} and what follows", "not run", "", "time is up")]
        except Exception as error:
            found.append(_row(f"{part.__name__} failed: {type(error).__name__}: {error}"[:200], "failed", "", ""))
    return found


PARTS: list[Callable[[torch.device], Iterator[Row]]] = [
    equal_losses,
    no_waiting,
    real_training,
    speeds,
    largest_batch,
]


def main() -> int:
    parser = argparse.ArgumentParser("python -m bench.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 …, or cpu to try the check itself")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"put the table between {BEGIN} and {END} of FILE")
    arguments = parser.parse_args()
    if arguments.device.startswith("cuda") and not torch.cuda.is_available():
        text = "Not run: there was no GPU."
    else:
        device = torch.device(arguments.device)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the CPU"
        text = f"Measured on {name}, torch {torch.__version__}.\n\n{table(rows(device, PARTS))}"
    print(text)
    if arguments.write:
        replace_file(arguments.write, between(arguments.write.read_text(), text, BEGIN, END).encode())
    return 0


def _timed(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    begin = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begin


def _row(name: str, ours: object, unit: str, asked: str) -> Row:
    return {"name": name, "ours": ours, "yardstick": "", "unit": unit, "ratio": "", "asked": asked}


if __name__ == "__main__":
    sys.exit(main())

"""The pretraining loop: as :mod:`faceengine.training.train`, for many synthetic people instead of two real ones."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from faceengine.device import choose_device, choose_precision
from faceengine.events import ShouldStop
from faceengine.files import only_process
from faceengine.geometry import Image
from faceengine.networks.model import Discriminators
from faceengine.training import checkpoints, preview
from faceengine.training.config import PRESETS, Recipe
from faceengine.training.data import signed
from faceengine.training.history import History
from faceengine.training.preview import central
from faceengine.training.schedule import Phase
from faceengine.training.side_by_side import SideBySide
from faceengine.training.step import Trainer, build_optimisers
from faceengine.training.train import follow, iterations_from
from tools.base_model.pairs import PairedBatch, Pairs, People
from tools.base_model.people import WIDTH, ManyPeople

COOLING = 0.2
"""Share of the schedule, at its end, over which the learning rate falls to nothing. Before that it is constant, so that
a longer schedule can go on from any checkpoint made before the cooling."""
WARM_UP = 200
SHOWN = 6
"""Rows of a preview sheet."""


@dataclass(frozen=True)
class Plan:
    """What a base model is trained for: a preset's networks and losses, for ``iterations`` iterations."""

    preset: str
    iterations: int
    swap: float
    """How often the target is another person than the input."""
    learning_rate: float
    every: int
    """Iterations between two checkpoints and preview sheets."""
    seed: int = 0

    @property
    def recipe(self) -> Recipe:
        """The preset's, without what only makes sense between two people, and with more changes of the recording."""
        return dataclasses.replace(
            PRESETS[self.preset],
            iterations=self.iterations,
            learning_rate=self.learning_rate,
            adversarial=0.0,
            perceptual=0.0,
            cycle=0.0,
            colour_match=0.0,
            relight=0.5,
            noise=0.15,
            blur=0.1,
            degrade=0.2,
            ema=0.999,
        )


def learning_rate(iteration: int, total: int) -> float:
    """Return the factor on the learning rate: up in :data:`WARM_UP` iterations, level, down to a hundredth."""
    left = (total - iteration) / (COOLING * total)
    return min(1.0, (iteration + 1) / WARM_UP) * max(0.01, min(1.0, left))


def pretrain(plan: Plan, people: People, out: Path, device_name: str, should_stop: ShouldStop) -> int:
    """Train in the folder ``out`` from its newest checkpoint on; return the number of iterations that are done."""
    with only_process(out):
        device = choose_device(device_name)
        run = _Run(plan, people, device, out)
        run.resume()
        run.loop(device, should_stop)
        return run.iteration


class _Run:
    """The networks, their moving average, and where the run is."""

    def __init__(self, plan: Plan, people: People, device: torch.device, out: Path) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.people, self.out, self.recipe = plan, people, out, plan.recipe
        generator = ManyPeople(self.recipe.model, len(people)).to(device).to(memory_format=torch.channels_last)
        none = Discriminators(self.recipe.model)  # no adversarial loss: they are never run
        optimiser = _optimiser(generator, self.recipe)
        _, idle = build_optimisers(generator, none, self.recipe)
        precision = choose_precision("auto", device)
        self.trainer = Trainer(generator, none, optimiser, idle, self.recipe, precision, SideBySide(device))
        self.generator = generator
        self.average = copy.deepcopy(generator).requires_grad_(False)
        self.iteration = 0

    def resume(self) -> None:
        found = checkpoints.all_in(self.out)
        if not found:
            return
        path = found[-1]
        generator, average, adam = (
            checkpoints.read_tensors(path, f"{part}.") for part in ("generator", "average", "adam_generator")
        )
        before, now = len(generator["vectors.weight"]), len(self.people)
        checkpoints.load_into(self.generator, _with_more_people(generator, before, now), path)
        checkpoints.load_into(self.average, _with_more_people(average, before, now), path)
        checkpoints.restore_optimiser(self.trainer.optimise_generator, _with_more_people(adam, before, now))
        self.iteration = checkpoints.read_header(path).iteration

    def loop(self, device: torch.device, should_stop: ShouldStop) -> None:
        history = History(self.out, 2 * self.recipe.batch)
        history.rewind(self.iteration)
        batches = _loaded(Pairs(self.people, self.recipe, self.plan.swap, self.plan.seed), self.iteration)
        began, first = time.monotonic(), self.iteration
        done = self.iteration >= self.plan.iterations or should_stop()
        while not done:
            batch = next(batches).to(device)
            self.generator.who = batch.who
            factor = learning_rate(self.iteration, self.plan.iterations)
            history.add(self.trainer.step(batch, Phase(factor, adversarial=False)))
            follow(self.average, self.generator, self.iteration, self.recipe.ema)
            self.iteration += 1
            done = self.iteration >= self.plan.iterations or should_stop()
            keep = done or self.iteration % self.plan.every == 0
            if keep or self.iteration % 100 == 0:
                losses = history.write(self.iteration)
                rate = (self.iteration - first) / (time.monotonic() - began)
                said = f"{self.iteration} of {self.plan.iterations}, {rate:.2f} a second"
                print(f"{said}: {_line(losses.values)}", flush=True)
            if keep:
                self._keep(history)

    def _keep(self, history: History) -> None:
        preview.save(self.out, self.iteration, sheet(self.average, self.people))
        header = checkpoints.Header(
            iteration=self.iteration,
            total=self.plan.iterations,
            recipe=self.recipe.to_dict(),
            seed=self.plan.seed,
            exchanged=False,
            quality=history.quality(),
            people={},
            perceptual=None,
        )
        parts = {
            "generator.": self.generator.state_dict(),
            "average.": self.average.state_dict(),
            "adam_generator.": checkpoints.optimiser_tensors(self.trainer.optimise_generator),
        }
        tensors = {prefix + name: tensor for prefix, state in parts.items() for name, tensor in state.items()}
        checkpoints.save(self.out, header, tensors)
        checkpoints.prune(self.out, 0)


def _with_more_people(state: checkpoints.State, before: int, now: int) -> checkpoints.State:
    """Let a pretraining go on with people who were rendered since: each begins as the mean of those who were there."""
    grown = {
        name: torch.cat([value, value.mean(0, keepdim=True).expand(now - before, -1)])
        for name, value in state.items()
        if now > before and value.shape == (before, WIDTH)
    }
    return state | grown


def _line(values: dict[str, float]) -> str:
    halves: dict[str, list[float]] = {}
    for name, value in values.items():
        halves.setdefault(name.partition(".")[2], []).append(value)
    return " ".join(f"{name} {sum(both) / len(both):.4f}" for name, both in halves.items())


def _optimiser(generator: ManyPeople, recipe: Recipe) -> torch.optim.Optimizer:
    """Adam as for two people. What is made of a person's vector learns as slowly as the bottleneck: an output is
    moved by all of its weights at once."""
    vectors = generator.vectors.weight
    dense = [p for p in generator.parameters() if p.dim() == 2 and p is not vectors]
    other = [p for p in generator.parameters() if p.dim() != 2 or p is vectors]
    groups = [{"params": dense, "factor": recipe.bottleneck_rate}, {"params": other, "factor": 1.0}]
    return torch.optim.Adam(groups, lr=recipe.learning_rate, betas=(0.5, 0.999), fused=True)


def _loaded(pairs: Pairs, start: int) -> Iterator[PairedBatch]:
    loader = DataLoader(pairs, batch_size=None, sampler=iterations_from(start), num_workers=1)
    yield from loader


@torch.inference_mode()
def sheet(generator: ManyPeople, people: People) -> Image:
    """A row for each of some held-out people p: the crop, drawn as two others, and the true swaps.

    ``(H, W, 3)`` RGB. Nothing of p was trained on, nor can p be drawn: what is seen is whether the encoder leaves
    out who somebody is.
    """
    size, coverage = generator.config.size, generator.config.coverage
    rows = []
    for number, (group, p) in enumerate(held_out(people)[:SHOWN]):
        scene, others = 7 * number % people.groups[group].crops, (0, 1)
        source = people.crop(group, p, scene)[0]
        truths = [people.crop(group, q, scene)[0] for q in others]
        drawn = draw(generator, [source], [int(people.first[group]) + q for q in others])
        row = [central(source, size, coverage)]
        for image, truth in zip(drawn, truths, strict=True):
            row += [image, central(truth, size, coverage)]
        rows.append(np.concatenate(row, axis=1))
    return cv2.resize(np.concatenate(rows), None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)  # type: ignore[return-value]


def held_out(people: People) -> list[tuple[int, int]]:
    """Return group and person of everybody who is kept for judging."""
    return [(group, p) for group in range(len(people.groups)) if (p := people.held_out(group)) is not None]


@torch.inference_mode()
def draw(generator: ManyPeople, sources: list[Image], who: list[int]) -> list[Image]:
    """Draw each of the people ``who`` from the one source, or from the source of the same number."""
    size, coverage = generator.config.size, generator.config.coverage
    device = generator.vectors.weight.device
    seen = signed([central(source, size, coverage) for source in sources]).to(device)
    code = generator.encode(seen.expand(len(who), -1, -1, -1).contiguous(memory_format=torch.channels_last))
    generator.who = {"a": torch.tensor(who, device=device)}
    colour: Tensor = generator.decode(code, "a").colour
    images = ((colour.permute(0, 2, 3, 1).float().cpu().numpy() + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
    return list(images)


def load(out: Path, people: int) -> tuple[ManyPeople, checkpoints.Header]:
    """Return the averaged model of a folder's newest checkpoint, and its header."""
    path = checkpoints.newest(out)
    header = checkpoints.read_header(path)
    generator = ManyPeople(checkpoints.model_of(header, path), people)
    checkpoints.load_into(generator, checkpoints.read_tensors(path, "average."), path)
    return generator, header

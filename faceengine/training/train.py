"""The training loop. Read it from top to bottom: this file is what a run does."""

from __future__ import annotations

import copy
import itertools
import json
import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler

from faceengine.device import choose_precision
from faceengine.errors import InputError
from faceengine.events import Checkpoint, Message, OnEvent, Preview, Progress, ShouldStop, ignore, never
from faceengine.files import only_process, replace_file
from faceengine.networks.model import PERSONS, Discriminators, Generator
from faceengine.reference import References
from faceengine.training import base, checkpoints, preview
from faceengine.training.advice import advise
from faceengine.training.config import Recipe, TrainConfig
from faceengine.training.data import Batch, Batches
from faceengine.training.history import History
from faceengine.training.people import Person, load_person, require_same_people
from faceengine.training.perceptual import NETWORK, Perceptual, load_perceptual
from faceengine.training.ranks import Ranks, joined
from faceengine.training.schedule import phase
from faceengine.training.side_by_side import SideBySide
from faceengine.training.step import Trainer, build_optimisers

ModuleT = TypeVar("ModuleT", bound=nn.Module)

SLOW_START = 5
"""Iterations of a session that say nothing of its speed: memory and kernels are set up in them."""


@dataclass(frozen=True)
class TrainResult:
    """``iteration`` iterations are done; ``checkpoint`` holds them (``None``: stopped before the first);
    ``stopped``: on request, before the end."""

    iteration: int
    checkpoint: Path | None
    stopped: bool


def run(
    config: TrainConfig, run_dir: Path, *, on_event: OnEvent = ignore, should_stop: ShouldStop = never
) -> TrainResult:
    """Train ``config`` in ``run_dir``, from its newest checkpoint if there is one.

    Leaves ``previews/``, ``losses.jsonl`` and ``checkpoints/`` in the folder. Raises :class:`InputError` for sets or
    checkpoints that can't be used and :class:`EngineError` ``train.nan`` when a loss stops being a number.

    Under torchrun all its processes train the run together (``ranks.py``); the first one writes and tells.
    """
    with joined() as ranks, only_process(run_dir) if ranks.first else nullcontext():
        on_event = on_event if ranks.first else ignore
        recipe = config.recipe
        people = {
            person: load_person(person, folder, recipe.model.size, on_event)
            for person, folder in (("a", config.a), ("b", config.b))
        }
        advise({name: person.crops for name, person in people.items()}, recipe.model.size, on_event)
        session = _open(config, run_dir, people, ranks, on_event)
        return _loop(config, run_dir, people, session, on_event, should_stop)


@dataclass
class _Session:
    """What changes while a run goes on."""

    trainer: Trainer
    average: Generator
    """Moving average of the generator's weights."""
    iteration: int
    """Iterations done."""
    total: int
    """Length of the schedule."""


def _loop(
    config: TrainConfig,
    run_dir: Path,
    people: dict[str, Person],
    session: _Session,
    on_event: OnEvent,
    should_stop: ShouldStop,
) -> TrainResult:
    trainer, recipe, ranks = session.trainer, session.trainer.recipe, session.trainer.ranks
    pictures = {person: people[person].pictures for person in PERSONS}
    dataset = Batches(pictures, recipe, config.seed, ranks)
    dataset.total.fill_(session.total)
    batches = _loaded(config, dataset, session.iteration, pin=trainer.device.type == "cuda")
    shown = _preview_faces(people, recipe, trainer.device)
    history = History(run_dir, 2 * recipe.batch, keep=ranks.first)
    history.rewind(session.iteration)
    clock = _Clock(config.minutes, session.iteration)
    stopped = session.iteration < session.total and ranks.any(should_stop())
    done = stopped or session.iteration >= session.total

    while not done:
        now = phase(session.iteration, session.total, recipe)
        values = trainer.step(next(batches).to(trainer.device), now)
        follow(session.average, trainer.generator, session.iteration, recipe.ema)
        history.add(ranks.mean(values))
        session.iteration += 1
        session.total = ranks.of_first(clock.fit(session.iteration, session.total))
        dataset.total.fill_(session.total)
        stopped = ranks.any(should_stop())
        done = stopped or session.iteration >= session.total or ranks.any(clock.over())

        def due(every: int) -> bool:
            return done or session.iteration % every == 0  # noqa: B023 - called at once

        if due(config.log_every) or due(config.checkpoint_every):
            on_event(history.write(session.iteration))  # raises on NaN, before anything of it is kept
            on_event(Progress("train", session.iteration, session.total, "iterations", clock.rate(session.iteration)))
        if not ranks.first:
            continue
        if due(config.preview_every):
            with trainer.autocast():
                sheet = preview.sheet(session.average, shown, now)
            on_event(Preview(session.iteration, str(preview.save(run_dir, session.iteration, sheet))))
            for message in history.warnings():
                on_event(message)
        if due(config.checkpoint_every):
            header = _header(config, session, people, now.exchanged, history.quality())
            path = checkpoints.save(run_dir, header, _tensors(session))
            checkpoints.prune(run_dir, config.keep_every)
            on_event(Checkpoint(session.iteration, str(path.relative_to(run_dir))))
    ranks.wait()
    return TrainResult(session.iteration, checkpoints.newest(run_dir) if session.iteration else None, stopped)


# -- the beginning -----------------------------------------------------------------------------------------------------


def _open(config: TrainConfig, run_dir: Path, people: dict[str, Person], ranks: Ranks, on_event: OnEvent) -> _Session:
    """Build the networks with the weights they had when the run was left, else those of ``start_from``, else the base
    model's, else random ones."""
    device = ranks.device(config.device)
    recipe = config.recipe
    torch.manual_seed(config.seed)
    generator = _on(device, Generator(recipe.model))
    discriminators = _on(device, Discriminators(recipe.model))
    optimisers = build_optimisers(generator, discriminators, recipe)
    perceptual = _perceptual(recipe, device, on_event)
    precision = choose_precision(config.precision, device)
    trainer = Trainer(generator, discriminators, *optimisers, recipe, precision, SideBySide(device), perceptual, ranks)
    session = _Session(trainer, copy.deepcopy(generator).requires_grad_(False), 0, recipe.iterations)
    if found := checkpoints.all_in(run_dir):
        _resume(config, session, found[-1], people, on_event)
    elif config.start_from is not None:
        _warm_start(session, checkpoints.newest(config.start_from), on_event)
    elif config.base:
        _from_base(session, on_event)
    ranks.equalise(generator, discriminators, session.average)
    settings = {"config": config.to_record(), "recipe": recipe.to_dict()}
    if ranks.first:
        replace_file(run_dir / "run.json", json.dumps(settings, indent=2).encode())
    arithmetic = str(precision).removeprefix("torch.")
    on_event(
        Message(
            "info", "train.begin", f"{config.preset} on {device} in {arithmetic}, from iteration {session.iteration}"
        )
    )
    return session


def _resume(config: TrainConfig, session: _Session, path: Path, people: dict[str, Person], on_event: OnEvent) -> None:
    """Go on exactly where the checkpoint was made."""
    header = checkpoints.read_header(path)
    theirs = checkpoints.recipe_of(header, path).to_dict() | {"seed": header.seed}
    if differs := _differences(theirs, config.recipe.to_dict() | {"seed": config.seed}):
        text = f"{path.parent.parent} was trained with other settings ({differs})"
        raise InputError("run.other_settings", text + ": choose another --run, or begin with its weights by --from")
    require_same_people(checkpoints.people_of(header, path), {person: people[person].record for person in PERSONS})
    trainer = session.trainer
    checkpoints.load_into(trainer.generator, checkpoints.read_tensors(path, "generator."), path)
    checkpoints.load_into(trainer.discriminators, checkpoints.read_tensors(path, "discriminators."), path)
    checkpoints.load_into(session.average, checkpoints.read_tensors(path, "average."), path)
    checkpoints.restore_optimiser(trainer.optimise_generator, checkpoints.read_tensors(path, "adam_generator."))
    checkpoints.restore_optimiser(
        trainer.optimise_discriminators, checkpoints.read_tensors(path, "adam_discriminators.")
    )
    session.iteration = header.iteration
    session.total = config.iterations or (header.total if config.minutes is None else session.total)
    if header.people != {person: people[person].record for person in PERSONS}:
        on_event(
            Message(
                "info",
                "train.set_changed",
                "the face sets have changed since the run was left; it goes on with them as they are",
            )
        )


def _warm_start(session: _Session, path: Path, on_event: OnEvent) -> None:
    """Begin a new run with another one's weights; discriminators and optimisers start afresh.

    Raises :class:`InputError` ``train.other_people`` in a studio if these have learned somebody who did not agree.
    """
    header = checkpoints.read_header(path)
    checkpoints.require_model(header, path, session.trainer.recipe.model)
    references, learned = References.here(), checkpoints.people_of(header, path)
    if references is not None and any(references.contradicts(side, person) for side, person in learned.items()):
        raise InputError("train.other_people", f"{path} was trained on other people than those who agreed")
    state = checkpoints.read_tensors(path, "average.")
    checkpoints.load_into(session.trainer.generator, state, path)
    checkpoints.load_into(session.average, state, path)
    on_event(Message("info", "train.warm_start", f"begins with the weights of {path}"))


def _from_base(session: _Session, on_event: OnEvent) -> None:
    """Begin a new run with what the base model knows, if there is one for its networks."""
    path = base.base_of(session.trainer.recipe.model)
    if path is None:
        text = "there is no base model for networks of this shape: the run begins with random weights"
        on_event(Message("info", "train.no_base", text))
        return
    state = base.read(path)
    checkpoints.load_into(session.trainer.generator, state, path)
    checkpoints.load_into(session.average, state, path)
    on_event(Message("info", "train.base", "begins with the base model, which has learned faces from synthetic people"))


def _perceptual(recipe: Recipe, device: torch.device, on_event: OnEvent) -> Perceptual | None:
    if not recipe.perceptual:
        return None
    loss = load_perceptual(device)
    if loss is None:
        text = f"the weights of {NETWORK} are not there: the run goes on without the perceptual loss"
        on_event(Message("warning", "train.no_perceptual", text))
    return loss


def _on(device: torch.device, module: ModuleT) -> ModuleT:
    # Convolution kernels want channels last; without it every one of them copies its input first.
    return module.to(device).to(memory_format=torch.channels_last)


def _differences(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """Names of the settings that differ, dotted, except the length."""
    names = []
    for name, value in ours.items():
        if isinstance(value, dict):
            names += [f"{name}.{key}" for key in value if value[key] != theirs.get(name, {}).get(key)]
        elif name != "iterations" and value != theirs.get(name):
            names.append(name)
    return ", ".join(names)


# -- what the loop uses ------------------------------------------------------------------------------------------------


def _loaded(config: TrainConfig, dataset: Batches, start: int, *, pin: bool) -> Iterator[Batch]:
    """Batches from iteration ``start`` on, prepared ahead by worker processes."""
    workers = config.workers if config.workers is not None else min(4, (os.cpu_count() or 1) - 1)
    loader = DataLoader(dataset, batch_size=None, sampler=iterations_from(start), num_workers=workers, pin_memory=pin)
    for batch in loader:
        if isinstance(batch, InputError):
            raise batch
        yield batch


class _From(Sampler[int]):
    """All iterations from ``start`` on."""

    def __init__(self, start: int) -> None:
        self.start = start

    def __iter__(self) -> Iterator[int]:
        return itertools.count(self.start)


def iterations_from(start: int) -> Sampler[int]:
    """Return the sampler of a dataset whose items are iterations: ``start`` and all that follow."""
    return _From(start)


def _preview_faces(people: dict[str, Person], recipe: Recipe, device: torch.device) -> dict[str, Tensor]:
    model = recipe.model
    return {
        name: preview.fixed_faces(person.pictures, [crop.yaw for crop in person.crops], model.size, model.coverage).to(
            device, memory_format=torch.channels_last
        )
        for name, person in people.items()
    }


@torch.no_grad()
def follow(average: nn.Module, module: nn.Module, iteration: int, decay: float) -> None:
    """Move the average toward ``module``; faster at the beginning, when there is little worth keeping."""
    decay = min(decay, (1 + iteration) / (10 + iteration))
    torch._foreach_lerp_(list(average.parameters()), list(module.parameters()), 1 - decay)


class _Clock:
    """The session's speed, and what ``minutes`` makes of it."""

    def __init__(self, minutes: float | None, start: int) -> None:
        self.minutes = minutes
        self.start = start
        self.began = self.settled = time.monotonic()

    def fit(self, iteration: int, total: int) -> int:
        """The schedule's length: ``total``, or with ``minutes`` what fits into them at the speed so far.

        Fitted anew each time, so that the schedule ends with the minutes on a machine whose load changes.
        """
        done = iteration - self.start - SLOW_START
        if done == 0:
            self.settled = time.monotonic()
        if self.minutes is None or done <= 0:
            return total
        now = time.monotonic()
        left = self.minutes * 60 - (now - self.began)
        return iteration + max(1, int(left * done / (now - self.settled)))

    def over(self) -> bool:
        """Whether the minutes are over; the schedule then ends early rather than late."""
        return self.minutes is not None and time.monotonic() - self.began >= self.minutes * 60

    def rate(self, iteration: int) -> float:
        """Iterations a second in this session."""
        return round((iteration - self.start) / max(time.monotonic() - self.began, 1e-9), 3)


def _header(
    config: TrainConfig, session: _Session, people: dict[str, Person], exchanged: bool, quality: float
) -> checkpoints.Header:
    return checkpoints.Header(
        iteration=session.iteration,
        total=session.total,
        recipe=session.trainer.recipe.to_dict(),
        seed=config.seed,
        exchanged=exchanged,
        quality=quality,
        people={person: people[person].record for person in PERSONS},
        perceptual=None if session.trainer.perceptual is None else NETWORK,
    )


def _tensors(session: _Session) -> checkpoints.State:
    trainer = session.trainer
    parts = {
        "generator.": trainer.generator.state_dict(),
        "average.": session.average.state_dict(),
        "discriminators.": trainer.discriminators.state_dict(),
        "adam_generator.": checkpoints.optimiser_tensors(trainer.optimise_generator),
        "adam_discriminators.": checkpoints.optimiser_tensors(trainer.optimise_discriminators),
    }
    return {prefix + name: tensor for prefix, tensors in parts.items() for name, tensor in tensors.items()}

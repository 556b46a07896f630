"""The losses of a run: averaged, watched for trouble, kept as JSON lines in ``losses.jsonl``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from faceengine.errors import EngineError
from faceengine.events import Losses, Message
from faceengine.files import replace_file
from faceengine.networks.model import PERSONS
from faceengine.training.step import Values

FILE = "losses.jsonl"
LEANING = 1.5
"""How many times larger one side's reconstruction loss may be before the run says so."""
COLLAPSED = 0.05
"""Mean alpha under which the mask shows next to nothing of the drawn face."""


class History:
    """Collects each iteration's losses and writes their means, one line a call of :meth:`write`."""

    def __init__(self, run_dir: Path, images_per_iteration: int, *, keep: bool = True) -> None:
        """Without ``keep`` nothing is written: another rank does."""
        self.path = run_dir / FILE
        self.keep = keep
        self.images_per_iteration = images_per_iteration
        self.last: Losses | None = None
        self._sums: Values = {}
        self._counts: dict[str, int] = {}
        self._since = time.monotonic()
        self._iterations = 0
        self._quality: list[float] = []
        self._warned: set[str] = set()

    def rewind(self, iteration: int) -> None:
        """Forget lines of iterations that a resume will do again, and a line that a crash tore."""
        if not self.keep:
            return
        kept = [line for line in _lines(self.path) if json.loads(line)["iteration"] <= iteration]
        replace_file(self.path, "".join(line + "\n" for line in kept).encode())

    def add(self, values: Values) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1
        self._iterations += 1

    def write(self, iteration: int) -> Losses:
        """The means since the last call, durable as one line. Raises :class:`EngineError` when one is not a number."""
        names = list(self._sums)
        sums = torch.stack([self._sums[name].float() for name in names]).tolist()
        means = {name: total / self._counts[name] for name, total in zip(names, sums, strict=True)}
        if broken := [name for name, mean in means.items() if not _is_number(mean)]:
            raise EngineError(
                "train.nan",
                f"the loss {broken[0]} is not a number any more after iteration {iteration}; the last checkpoint "
                "is good. Try --precision float32 or another preset, or a new run from an earlier checkpoint (--from)",
            )
        now = time.monotonic()
        speed = self.images_per_iteration * self._iterations / max(now - self._since, 1e-9)
        self.last = Losses(iteration, {name: round(mean, 6) for name, mean in means.items()}, round(speed, 2))
        self._quality.append(sum(means[f"{person}.reconstruction"] for person in PERSONS))
        if self.keep:
            with self.path.open("a") as file:
                file.write(json.dumps(self.last.__dict__) + "\n")
        self._sums, self._counts, self._since, self._iterations = {}, {}, now, 0
        return self.last

    def quality(self) -> float:
        """Mean reconstruction loss of both sides since the last call; call it after :meth:`write`."""
        mean = sum(self._quality) / len(self._quality)
        self._quality = []
        return mean

    def warnings(self) -> Iterator[Message]:
        """What a person should look at, each said once a run."""
        if self.last is None:
            return
        values = self.last.values
        a, b = values["a.reconstruction"], values["b.reconstruction"]
        if max(a, b) > LEANING * min(a, b):
            worse = "A" if a > b else "B"
            text = (
                f"person {worse} is learned worse than the other (reconstruction {a:.3f} for A, {b:.3f} for B): look "
                f"at the number, sharpness and poses of {worse}'s crops"
            )
            yield from self._once("train.leans", text)
        for person in ("a", "b"):
            if values.get(f"{person}.alpha", 1.0) < COLLAPSED:
                text = f"the mask of {person.upper()} has nearly vanished: the swap will look like the source"
                yield from self._once("train.mask_collapsed", text)

    def _once(self, code: str, text: str) -> Iterator[Message]:
        if code not in self._warned:
            self._warned.add(code)
            yield Message("warning", code, text)


def _is_number(value: float) -> bool:
    return abs(value) < float("inf")


def _lines(path: Path) -> Iterator[str]:
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        try:
            json.loads(line)
        except ValueError:
            return
        yield line

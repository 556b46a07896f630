"""How long a training will take, as far as that is honestly known: by what trainings here have told of their speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from faceengine.jobs.models import Job
from faceengine.training.config import PRESETS
from webapp.studio.words import CHOICES

_LATELY = 200
"""Trainings that are asked."""
ON_TWO_CORES = {"standard-64": 6.17 / 16}
"""Iterations a second on two processor cores, measured (docs/performance.md): 6.17 images a second, 16 an iteration."""


@dataclass(frozen=True)
class Estimate:
    """What is known of a preset's speed."""

    preset: str
    words: Promise | str
    iterations: int
    """Length of its schedule."""
    here: float | None
    """Iterations a second of the newest training with it on this installation."""

    @property
    def seconds(self) -> float | None:
        """Of the whole schedule at that speed."""
        return self.iterations / self.here if self.here else None

    @property
    def seconds_on_two_cores(self) -> float | None:
        """Without a graphics card, where that was measured and nothing is known of this installation."""
        speed = ON_TWO_CORES.get(self.preset)
        return self.iterations / speed if speed and not self.here else None


def estimates() -> list[Estimate]:
    """One for each preset that is offered."""
    speeds = _speeds()
    return [
        Estimate(name, CHOICES[name], recipe.iterations, speeds.get(name))
        for name, recipe in PRESETS.items()
        if name in CHOICES
    ]


def _speeds() -> dict[str, float]:
    """Of the newest training with each preset as it is: another batch or octave share has another speed."""
    trainings = Job.objects.filter(kind="train", progress__stage="train", progress__rate__gt=0)
    told = trainings.order_by("-created_at").values_list("config", "progress")[:_LATELY]
    found: dict[str, float] = {}
    for config, progress in told:
        if progress and _plain(config):
            found.setdefault(config["preset"], progress["rate"])
    return found


def _plain(config: dict[str, Any]) -> bool:
    return config.get("batch") is None and config.get("octave") is None and not config.get("cycle")

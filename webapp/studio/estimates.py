"""How long a training will take, as far as that is honestly known, and what is recommended on this installation.

Speeds are those that trainings here have told of; where none ran, what was measured on two cores without a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Any

from django.conf import settings
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from faceengine.jobs.hardware import gpus
from faceengine.jobs.models import Job
from faceengine.jobs.queries import live_slots
from faceengine.training.config import PRESETS
from webapp.studio.words import CHOICES

_LATELY = 200
"""Trainings that are asked."""
_WITH_GPU = ("standard", "standard-64")
_WITHOUT_GPU = ("quick", "demo")
"""Presets, the first that there is."""
LONG_SECONDS = 2 * 3600
"""From here on the form warns."""
TIME_WORDS: dict[str, Promise] = {"seconds": _("{n} s"), "minutes": _("{n} min"), "hours": _("{n} h")}
_SCALES = (("seconds", 1, 0, 90), ("minutes", 60, 0, 7200), ("hours", 3600, 1, 36000), ("hours", 3600, 0, inf))
"""Unit, its seconds, digits after the point, and up to how many seconds it is taken."""
ON_TWO_CORES = {"quick": 5.8, "lite-64": 0.85, "standard-64": 6.17 / 16}
"""Iterations a second on two processor cores. Quick: measured over a run of 7,000 iterations, the last quarter with the
adversarial loss. ``standard-64``: 6.17 images a second, 16 an iteration, measured (docs/performance.md). ``lite-64``:
an estimate from a short run beside other work."""


@dataclass(frozen=True)
class Estimate:
    """What is known of a preset's speed."""

    preset: str
    words: Promise | str
    iterations: int
    """Length of its schedule."""
    here: float | None
    """Iterations a second of the newest training with it on this installation."""
    pace: float = 1.0
    """How fast trainings here were, beside the same ones on two cores."""

    @property
    def seconds(self) -> float | None:
        """Of the whole schedule at that speed."""
        return self.iterations / self.here if self.here else None

    @property
    def seconds_on_two_cores(self) -> float | None:
        """Without a graphics card, where that was measured and nothing is known of this installation."""
        speed = ON_TWO_CORES.get(self.preset)
        return self.iterations / speed if speed and not self.here else None

    def rate(self, *, gpu: bool) -> float | None:
        """Iterations a second to reckon with; ``None`` if nothing is known."""
        measured = ON_TWO_CORES.get(self.preset)
        return self.here or (None if gpu or measured is None else measured * self.pace)


@dataclass(frozen=True)
class Recommended:
    """What the form of a new training begins with."""

    preset: str
    minutes: int
    gpu: bool
    """Whether trainings here compute on GPUs."""
    local: bool
    """Whether they run on the machine that serves this page."""


def recommended() -> Recommended:
    """Return a preset and minutes that fit what trainings will run on: the live slots, or else this machine."""
    slots = list(live_slots().filter(kind="gpu"))
    gpu = all(slot.processor == "gpu" for slot in slots) if slots else gpus() > 0
    local = all(slot.host == settings.JOBS_HOST for slot in slots)
    names, minutes = (_WITH_GPU, 60) if gpu else (_WITHOUT_GPU, 15)
    offered = [one.preset for one in estimates()]
    return Recommended(next((name for name in names if name in offered), offered[0]), minutes, gpu, local)


def about(seconds: float) -> str:
    """Return roughly how long that is: one unit, as on the button of the form."""
    unit, length, digits = next(scale for scale in _SCALES if seconds < scale[3])[:3]
    return str(TIME_WORDS[unit]).format(n=localize(round(seconds / length, digits or None)))


def estimates() -> list[Estimate]:
    """One for each preset that is offered."""
    speeds = _speeds()
    paces = [rate / ON_TWO_CORES[name] for name, rate in speeds.items() if name in ON_TWO_CORES]
    pace = median(paces) if paces else 1.0
    return [
        Estimate(name, CHOICES[name], recipe.iterations, speeds.get(name), pace)
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

"""Render groups of people into shards."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tools.synthetic_faces import shards, wheel
from tools.synthetic_faces.hair import Barber
from tools.synthetic_faces.landmarks import Landmarks
from tools.synthetic_faces.model import Expression, Head
from tools.synthetic_faces.people import Person, random_person
from tools.synthetic_faces.renderer import Renderer
from tools.synthetic_faces.scenes import Scene, random_scene, record
from tools.synthetic_faces.template import Template


@dataclass(frozen=True)
class Plan:
    """What a data set consists of. The same plan gives the same pictures."""

    seed: int
    people: int
    crops: int
    group: int
    size: int

    @property
    def groups(self) -> int:
        """Return how many shards there will be; the last group may be smaller."""
        return -(-self.people // self.group)

    def person_seeds(self, group: int) -> list[int]:
        """Return the seeds of a group's people."""
        first = group * self.group
        return [self.seed * 1_000_000 + k for k in range(first, min(first + self.group, self.people))]

    def scene_seeds(self, group: int) -> list[int]:
        """Return the seeds of a group's scenes."""
        return [self.seed * 1_000_000 + group * 1000 + k for k in range(self.crops)]


def people_and_scenes(plan: Plan, group: int, template: Template) -> tuple[list[Person], list[Scene]]:
    """Return a group's people and scenes."""
    people = [random_person(seed, template.target_names) for seed in plan.person_seeds(group)]
    return people, [random_scene(seed, template.unit_names) for seed in plan.scene_seeds(group)]


class Studio:
    """Template and renderer of one process."""

    def __init__(self, plan: Plan) -> None:
        cv2.setNumThreads(1)
        self.plan = plan
        self.template = Template()
        self._landmarks, self._barber = Landmarks(self.template), Barber(self.template)
        self._renderer = Renderer(self.template, plan.size)

    def render_group(self, group: int, file: Path) -> int:
        """Render one group into ``file``; return the number of crops."""
        people, scenes = people_and_scenes(self.plan, group, self.template)
        expressions = [Expression.of(self.template, scene) for scene in scenes]
        images, labels, landmarks, matrices = [], [], [], []
        for person in people:
            head = Head(self.template, self._landmarks, self._barber, person)
            owned = self._renderer.prepare(head)
            for scene, expression in zip(scenes, expressions, strict=True):
                crop = self._renderer.render(head, owned, scene, expression)
                images.append(shards.encode_image(record(crop.image, scene)))
                labels.append(shards.encode_labels(crop.labels))
                landmarks.append(crop.landmarks)
                matrices.append(crop.matrix)
            self._renderer.release(owned)
        shape = (len(people), len(scenes))
        units = self.template.unit_names
        arrays: dict[str, Any] = {
            "landmarks": np.array(landmarks, np.float32).reshape(*shape, 68, 2),
            "matrices": np.array(matrices, np.float32).reshape(*shape, 2, 3),
            "pose": np.array([[s.yaw, s.pitch, s.roll] for s in scenes], np.float32),
            "gaze": np.array([s.gaze for s in scenes], np.float32),
            "units": np.array(units),
            "weights": np.array([[s.units.get(name, 0.0) for name in units] for s in scenes], np.float32),
        }
        meta = {"plan": asdict(self.plan), "group": group, "people": [p.as_json() for p in people],
                "scenes": [s.as_json() for s in scenes]}  # fmt: skip
        shards.write(file, images, labels, meta, arrays)
        return len(images)


_studio: Studio | None = None


def _start(plan: Plan) -> None:
    global _studio
    _studio = Studio(plan)


def _render(job: tuple[int, Path]) -> int:
    assert _studio is not None
    return _studio.render_group(*job)


def _counts(plan: Plan, jobs: list[tuple[int, Path]], processes: int) -> Iterator[int]:
    if processes == 1:
        _start(plan)
        yield from map(_render, jobs)
        return
    # A GL context doesn't survive a fork.
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=_start, initargs=(plan,)) as pool:
        yield from pool.imap_unordered(_render, jobs)


class DifferentPlanError(ValueError):
    """The folder holds pictures of another plan."""


def generate(plan: Plan, folder: Path, processes: int) -> None:
    """Render what is missing in ``folder``. Raises ``MissingDataError``, ``NoOpenGLError``, ``DifferentPlanError``."""
    wheel.data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    _check_plan(plan, folder / "plan.json")
    files = [(group, folder / f"group-{group:04d}.npz") for group in range(plan.groups)]
    jobs = [(group, file) for group, file in files if not file.exists()]
    print(f"{len(files) - len(jobs)} of {len(files)} groups are there already.", flush=True)
    start, crops = time.monotonic(), 0
    for done, count in enumerate(_counts(plan, jobs, min(processes, max(1, len(jobs)))) if jobs else (), 1):
        crops += count
        rate = crops / (time.monotonic() - start)
        print(f"group {done} of {len(jobs)}: {crops} crops, {rate:.1f} a second", flush=True)


def _check_plan(plan: Plan, file: Path) -> None:
    wanted = asdict(plan)
    if file.exists():
        found = json.loads(file.read_text())
        # More people continue the same series; anything else would mix two sets.
        if {**found, "people": 0} != {**wanted, "people": 0}:
            raise DifferentPlanError(f"{file.parent} holds another set: {found}. Choose another folder or its options.")
    file.write_text(json.dumps(wanted, indent=1) + "\n")

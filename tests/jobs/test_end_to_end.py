"""Real jobs on the demo's clips through real slots: from two clips to a scored swap, machines and bodies dying."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from bench.jobs import measure
from bench.jobs_load import cut, weights
from faceengine.jobs import transitions
from faceengine.jobs.models import Attempt, Job
from faceengine.jobs.names import key_of
from faceengine.jobs.states import State
from tests.jobs.backends import ROOT, Stack, kill_tree
from tests.jobs.servers import wait_for
from tests.jobs.stores import relay, s3, s3_environment, s3_server  # noqa: F401 - fixtures
from tests.web.consents import any_mandate

LONG = 240.0
"""Seconds that a job may take on a machine that has other things to do."""
TRAINING = {"preset": "demo", "iterations": 24, "checkpoint_every": 4, "log_every": 1, "batch": 2, "workers": 1}


@pytest.fixture
def machine(stack: Stack, s3: Any, s3_server: int, tmp_path: Path) -> Callable[[str], Any]:  # noqa: F811
    """Starts a machine of that name: its own scratch disk, one slot, the ledger and the object store in common."""

    def start(name: str) -> Any:
        scratch = {"JOBS_SCRATCH_DIR": str(tmp_path / name), "OMP_NUM_THREADS": "1"}
        return stack.start("worker", "--slots", "gpu0", JOBS_HOST=name, **scratch, **s3_environment(s3_server))

    return start


def stored_clip(person: str, folder: Path) -> str:
    clip = folder / f"{person}.mp4"
    cut(ROOT / "demo" / f"person_{person}.mp4", clip, 60)
    with clip.open("rb") as file:
        return default_storage.save(f"clips/{person}.mp4", file)


def submit(kind: str, config: dict[str, Any]) -> Job:
    return transitions.submit(kind, config, mandate=any_mandate())


def file_of(job: Job, name: str) -> bytes:
    with default_storage.open(key_of(job, name)) as file:
        return file.read()


def trained(job: Job, folder: Path) -> str:
    """A hash of the run's last weights."""
    path = folder / f"{job.pk}.safetensors"
    path.write_bytes(file_of(job, max(name for name in job.files if name.startswith("checkpoints/"))))
    return weights(path)


def hosts(job: Job) -> list[str]:
    return [
        slot.partition("/")[0]
        for slot in Attempt.objects.filter(job=job).order_by("number").values_list("slot", flat=True)
    ]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_from_clips_to_a_scored_swap_on_two_machines(
    stack: Stack, machine: Callable[[str], Any], tmp_path: Path
) -> None:
    clips = {person: stored_clip(person, tmp_path) for person in "ab"}
    one = machine("one")
    extracts = {p: submit("extract", {"inputs": [clips[p]], "every": 2}) for p in "ab"}
    faces = {p: stack.wait(job, State.DONE, LONG).folder for p, job in extracts.items()}
    config = {"a": faces["a"], "b": faces["b"], **TRAINING}
    moved = submit("train", config)
    wait_for(lambda: (Job.objects.get(pk=moved.pk).checkpoint or {}).get("iteration", 0) >= 8, LONG, stack.output())
    kill_tree(one.pid)

    machine("two")
    undisturbed = submit("train", config)
    moved, undisturbed = (stack.wait(job, State.DONE, LONG) for job in (moved, undisturbed))
    assert hosts(moved) == ["one", "two"]
    assert hosts(undisturbed) == ["two"]
    assert trained(moved, tmp_path) == trained(undisturbed, tmp_path)

    convert = {"video": clips["a"], "model": moved.folder, "direction": "a2b"}
    converted = stack.wait(submit("convert", convert), State.DONE, LONG)
    assert converted.result is not None
    assert converted.result["frames"] == 60
    score = {"result": f"{converted.folder}/result.mp4", "wanted": faces["b"], "original": clips["a"]}
    scored = stack.wait(submit("score", score), State.DONE, LONG)
    report = next(name for name in scored.files if name.endswith(".json"))
    assert json.loads(file_of(scored, report))
    wait_for(lambda: not list((tmp_path / "two" / "attempts").glob("*/")), 20, "scratch folders are cleared away")


@pytest.mark.timeout(900)
def test_what_is_killed_again_and_again_ends_as_if_nothing_had_been() -> None:
    figures = measure("soak", BENCH_KILLS="3", BENCH_STACK="SQLite", OMP_NUM_THREADS="1")
    assert len(figures) > 1
    assert [figure for figure in figures if figure.reached is False] == []

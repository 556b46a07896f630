"""Real jobs on the demo's clips through real slots: from two clips to a scored swap, machines and bodies dying."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
import pytest
from django.core.files.storage import default_storage

from bench.jobs import measure
from bench.jobs_load import cut, weights
from faceengine.conversion import convert
from faceengine.conversion.config import ConvertConfig
from faceengine.jobs import transitions
from faceengine.jobs.models import Attempt, Job
from faceengine.jobs.names import key_of
from faceengine.jobs.states import State
from faceengine.video import read_frames
from tests.jobs.backends import ROOT, Stack, kill_tree
from tests.jobs.servers import wait_for
from tests.jobs.stores import relay, s3, s3_environment, s3_server  # noqa: F401 - fixtures
from tests.web.consents import any_mandate

LONG = 240.0
"""Seconds that a job may take on a machine that has other things to do."""
TRAINING = {"preset": "quick", "iterations": 24, "checkpoint_every": 4, "log_every": 1, "batch": 2, "workers": 1}


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

    config = {"video": clips["a"], "model": moved.folder, "direction": "a2b"}
    converted = stack.wait(submit("convert", config), State.DONE, LONG)
    assert converted.result is not None
    assert converted.result["frames"] == 60
    _in_parts_on_both(stack, machine, moved, tmp_path)
    score = {"result": f"{converted.folder}/result.mp4", "wanted": faces["b"], "original": clips["a"]}
    scored = stack.wait(submit("score", score), State.DONE, LONG)
    report = next(name for name in scored.files if name.endswith(".json"))
    assert json.loads(file_of(scored, report))
    wait_for(lambda: not list((tmp_path / "two" / "attempts").glob("*/")), 20, "scratch folders are cleared away")


def _in_parts_on_both(stack: Stack, machine: Callable[[str], Any], run: Job, folder: Path) -> None:
    """A video whose parts are converted on two machines, neither having the other's disk, is as the undivided one."""
    long = folder / "long.mp4"  # forty seconds, but few frames in each
    _encode(ROOT / "demo" / "person_a.mp4", long, "-r", "5", "-crf", "16")
    with long.open("rb") as file:
        name = default_storage.save("clips/long.mp4", file)
    machine("one")
    wait_for(lambda: stack.output().count("one/gpu0 serves") == 2, 30, "the first machine is there again")
    choices = {"direction": "a2b", "crf": 0}
    job = stack.wait(submit("convert", {"video": name, "model": run.folder, **choices}), State.DONE, LONG)
    assert sorted(host for part in job.parts.all() for host in hosts(part)) == ["one", "two"]

    joined = folder / "joined.mp4"
    joined.write_bytes(file_of(job, "result.mp4"))
    model = folder / "model"
    for each in run.files:
        (model / each).parent.mkdir(parents=True, exist_ok=True)
        (model / each).write_bytes(file_of(run, each))
    whole = convert.run(ConvertConfig(video=long, model=model, **choices), folder / "whole").path
    frames, others = ([frame.image for frame in read_frames(path)] for path in (joined, whole))
    assert len(frames) == len(others) >= 200
    assert all(np.array_equal(one, other) for one, other in zip(frames, others, strict=True))
    assert np.array_equal(_sound(joined), _sound(whole))


def _sound(path: Path) -> Any:
    """The samples of the one sound that the video has."""
    with av.open(str(path)) as video:
        assert len(video.streams.audio) == 1
        return np.concatenate([frame.to_ndarray() for frame in video.decode(audio=0)], axis=1)


def _encode(source: Path, target: Path, *options: str) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", source, *options, target]
    subprocess.run(command, check=True)


@pytest.mark.timeout(900)
def test_what_is_killed_again_and_again_ends_as_if_nothing_had_been() -> None:
    figures = measure("soak", BENCH_KILLS="3", BENCH_STACK="SQLite", OMP_NUM_THREADS="1")
    assert len(figures) > 1
    assert [figure for figure in figures if figure.reached is False] == []

"""The real stages through the ledger: a run trained by two processes, a long video converted in parts."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from django.core.files.storage import default_storage

from faceengine.conversion import convert
from faceengine.conversion.config import ConvertConfig
from faceengine.jobs import kinds, transitions
from faceengine.jobs.models import Job, Slot
from faceengine.jobs.states import State
from faceengine.video import read_frames
from tests.jobs.conftest import run_next
from tests.web.consents import any_mandate

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture
def two_ranks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trainings run as two processes with one thread each."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    usual = kinds.get("train")
    kinds.register(dataclasses.replace(usual, processes=2))
    yield
    kinds.register(usual)


def stored(name: str) -> Path:
    path = Path(default_storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def done(slot: Slot, kind: str, config: dict[str, Any]) -> Job:
    """Run a job, and all that it is split into, to the end."""
    job = transitions.submit(kind, config, mandate=any_mandate())
    while not Job.objects.filter(pk=job.pk, state__in=(State.DONE, State.FAILED)).exists():
        run_next(slot)
    job.refresh_from_db()
    assert job.state == State.DONE, job.error_text
    return job


def test_two_ranks_train_and_a_long_video_is_converted_in_parts(slot: Slot, two_ranks: None) -> None:
    sets = {person: _faces(slot, person) for person in "ab"}
    training = {"preset": "quick", "iterations": 4, "batch": 4, "checkpoint_every": 2, "preview_every": 2, "workers": 0}
    run = done(slot, "train", sets | training)
    # Only the first rank speaks, and of each iteration once.
    told = [data["iteration"] for data in run.events.filter(kind="checkpoint").values_list("data", flat=True)]
    assert told == [2, 4]
    assert (run.attempt, run.result["iteration"]) == (1, 4)

    # Forty seconds, but few frames in each.
    _encode(ROOT / "demo" / "person_a.mp4", stored("clips/long.mp4"), "-r", "5")
    choices = {"direction": "a2b", "crf": 0}
    split = done(slot, "convert", {"video": "clips/long.mp4", "model": run.folder} | choices)
    assert split.parts.count() == 2
    assert set(split.parts.values_list("state", flat=True)) == {State.DONE}

    whole = stored("whole/result.mp4")
    convert.run(ConvertConfig(video=stored("clips/long.mp4"), model=stored(run.folder), **choices), whole.parent)
    frames, others = (
        [frame.image for frame in read_frames(path)] for path in (stored(f"{split.folder}/result.mp4"), whole)
    )
    assert len(frames) == len(others) >= 200
    assert all(np.array_equal(one, other) for one, other in zip(frames, others, strict=True))


def _faces(slot: Slot, person: str) -> str:
    _encode(ROOT / "demo" / f"person_{person}.mp4", stored(f"clips/{person}.mp4"), "-t", "2")
    return done(slot, "extract", {"inputs": [f"clips/{person}.mp4"], "every": 1}).folder


def _encode(source: Path, target: Path, *options: str) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", source, *options, "-crf", "16", target]
    subprocess.run(command, check=True)

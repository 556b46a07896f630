"""What a new training is recommended, and how long the form says that it takes, by hardware and what ran before."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from faceengine.jobs import hardware, slots
from faceengine.jobs.models import Job, Slot
from tests.web.consents import mandate_of
from tests.web.footage import client_of
from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.studio import estimates
from webapp.studio.estimates import about, recommended

pytestmark = pytest.mark.django_db


def slot(name: str, processor: str, host: str = "here") -> None:
    kind = name.rstrip("0123456789")
    Slot.objects.create(host=host, name=name, kind=kind, pid=1, version="1", processor=processor)


@pytest.mark.parametrize(("processors", "preset"), [("c", "quick"), ("g", "standard"), ("gc", "quick")])
def test_the_preset_fits_what_trainings_run_on(processors: str, preset: str) -> None:
    """A slot without a GPU may take the job, too."""
    slot("cpu", "cpu")
    for number, letter in enumerate(processors):
        slot(f"gpu{number}", "gpu" if letter == "g" else "cpu")
    assert recommended().preset == preset


@pytest.mark.parametrize(("devices", "preset"), [("", "quick"), ("0,1", "standard")])
def test_before_a_slot_is_up_this_machine_counts(monkeypatch: pytest.MonkeyPatch, devices: str, preset: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    found = recommended()
    assert (found.preset, found.local) == (preset, True)


def test_a_slot_says_what_it_computes_on(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    settings.JOBS_SCRATCH_DIR = tmp_path
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert [hardware.processor_of(name) for name in ("gpu", "gpu0", "gpu1", "cpu")] == ["gpu", "gpu", "cpu", "cpu"]
    slots.register("gpu0")
    slots.register("gpu1")
    assert dict(Slot.objects.values_list("name", "processor")) == {"gpu0": "gpu", "gpu1": "cpu"}


def test_one_training_here_tells_of_the_others(project: Project) -> None:
    """A machine that is half as fast with one preset is reckoned half as fast with the others."""
    config = {"a": "a", "b": "b", "preset": "quick"}
    progress = {"stage": "train", "rate": estimates.ON_TWO_CORES["quick"] / 2}
    Job.objects.create(kind="train", config=config, progress=progress, slot_kind="gpu", mandate=mandate_of(project).pk)
    rates = {one.preset: one.rate(gpu=False) for one in estimates.estimates()}
    assert rates["quick"] == progress["rate"]
    assert rates["standard-64"] == pytest.approx(estimates.ON_TWO_CORES["standard-64"] / 2)
    assert rates["standard-256"] is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(20, "20 s"), (900, "15 min"), (7100, "118 min"), (9000, "2.5 h"), (75_000, "21 h")]
)
def test_times_are_said_roughly(seconds: float, words: str) -> None:
    assert about(seconds) == words


def test_the_button_says_how_long_it_takes(owner: User, project: Project, settings: Any) -> None:
    slot("gpu0", "cpu", settings.JOBS_HOST)
    page = client_of(owner).get(f"/projects/{project.pk}/runs/new/").content.decode()
    assert "Start training · about 15 min on this computer</button>" in page
    assert '<option value="quick" selected>' in page
    assert re.search(r'name="minutes" value="15"', page)
    times = json.loads(re.search(r"<training-time>.*?<script[^>]*>(.*?)</script>", page, re.S)[1])  # type: ignore[index]
    assert times["presets"]["standard-64"]["rate"] == estimates.ON_TWO_CORES["standard-64"]
    slot("gpu1", "gpu", "elsewhere")
    Slot.objects.update(processor="gpu")
    page = client_of(owner).get(f"/projects/{project.pk}/runs/new/").content.decode()
    assert "Start training · about 60 min</button>" in page
    assert '<option value="standard" selected>' in page
    times = json.loads(re.search(r"<training-time>.*?<script[^>]*>(.*?)</script>", page, re.S)[1])  # type: ignore[index]
    assert times["presets"]["standard-64"]["rate"] is None  # two cores say nothing of a GPU

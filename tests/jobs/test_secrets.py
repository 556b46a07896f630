"""What /proc says of a job's processes: no secret of the installation, whatever the kind. And what they may take."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faceengine.jobs import kinds, memory, transitions
from faceengine.jobs.environment import environment_of
from faceengine.jobs.models import Job, Slot
from faceengine.jobs.process import Process
from faceengine.jobs.states import State
from tests.jobs.conftest import run_next, submit, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("act")]
SECRET = "the-secret-of-the-installation"
VARIABLES = (
    "SECRET_KEY", "CONSENT_MASTER_KEY", "DATABASE_URL", "METRICS_TOKEN", "SIGNING_KEY", "CELERY_BROKER_URL",
    "REDIS_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD",
    "HTTPS_PROXY", "ANYTHING_ELSE",
)  # fmt: skip
KINDS = ("act", "intake", "extract", "train", "convert", "convert-segment", "convert-still", "score")


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, f"{name}-{SECRET}")


def variables_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def family_of(pid: int) -> Iterator[int]:
    """The process and all that descend from it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                yield from family_of(int(child))
        except OSError:
            continue


@pytest.mark.parametrize("name", KINDS)
def test_a_body_of_any_kind_has_no_secret(slot: Slot, tmp_path: Path, name: str) -> None:
    """A real body with the kind's variables, at work on a stage that takes its time."""
    job = Job(kind="act", config={})
    given = {} if name == "act" else kinds.get(name).given(job)
    config = tmp_path / "config.json"
    config.write_text('{"steps": 1000, "seconds": 0.05}')
    words = ["tests.jobs.stages.run", "tests.jobs.stages.ActConfig", str(config), str(tmp_path)]
    with (tmp_path / "log").open("wb") as log:
        process = Process(words, log, environment_of(kinds.get(name), slot), given=given)
    try:
        wait_for((tmp_path / "counted.txt").exists, within=60)
        family = list(family_of(process.group))
        assert len(family) >= 2  # the keeper and the worker
        for pid in family:
            found = variables_of(pid)
            assert b"PATH=" in found
            assert SECRET.encode() not in found
            assert b"SIGNING" not in found
    finally:
        process.kill()
        process.wait()


def test_all_processes_of_a_real_intake(slot: Slot, tmp_path: Path, settings: Any) -> None:
    """The body, its launcher and its ffmpeg, watched while they are at work."""
    settings.MEDIA_ROOT = tmp_path / "files"
    (settings.MEDIA_ROOT / "arrivals").mkdir(parents=True)
    arrival = settings.MEDIA_ROOT / "arrivals" / "file"
    arrival.write_bytes((Path(__file__).parents[2] / "demo" / "held_out_a.mp4").read_bytes())
    # Under another name: it is of no project, and the database lets no intake in without consent.
    alone = {"name": "take-in", "permit": kinds._as_it_is, "on_end": _nothing, "on_gone": _nothing}
    kinds.register(dataclasses.replace(kinds.get("intake"), **alone))
    transitions.submit("take-in", {"file": "arrivals/file"})
    seen: dict[str, bytes] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for pid in list(family_of(os.getpid()))[1:]:
                try:
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                program = next((word for word in words if b"ffmpeg-" in word or word == b"faceengine.body"), None)
                if program is not None:
                    seen[Path(program.decode()).name] = seen.get(program.decode(), b"") + variables_of(pid)
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        job = run_next(Slot.objects.create(host="here", name="cpu", kind="cpu", pid=os.getpid()))
    finally:
        over.set()
        watcher.join()
    assert job.state == State.DONE, (job.error_code, job.error_text)
    assert any("ffmpeg" in name for name in seen)
    assert "faceengine.body" in seen
    for name, found in seen.items():
        assert b"PATH=" in found, name
        assert SECRET.encode() not in found, name


def _nothing(*_: Any) -> None: ...


def test_a_job_that_takes_all_memory_ends(slot: Slot, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes that are each within the limit, and together over it."""
    settings.JOBS_MEMORY_LIMIT_MB = 300
    submit(act="memory of several", steps=2000)
    job = run_next(slot)
    assert (job.state, job.error_code) == (State.FAILED, "memory.full")
    assert "300 MB" in job.error_text


def test_memory_has_a_limit_by_the_machine(settings: Any) -> None:
    settings.JOBS_MEMORY_LIMIT_MB = 0
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    assert 0 < memory.limit_mb() < whole
    assert memory.used_mb(os.getpgrp()) > 10


def test_what_is_given_reaches_the_body_and_no_environment(slot: Slot, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    kinds.register(dataclasses.replace(kinds.get("act"), given=lambda job: {"SIGNING_KEY": f"key of {job.pk}"}))
    submit(act="given", code="SIGNING_KEY", steps=1)
    job = run_next(slot)
    assert job.state == State.DONE
    assert (tmp_path / job.folder / "given.txt").read_text() == f"key of {job.pk} False"


def test_a_job_that_takes_too_long_ends(slot: Slot) -> None:
    kinds.register(dataclasses.replace(kinds.get("act"), longest=0.5))
    submit(steps=5000)
    job = run_next(slot)
    assert (job.state, job.error_code) == (State.FAILED, "body.late")

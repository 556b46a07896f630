"""Deleting while something else happens: a body that is still dying, somebody who begins or steers a job just now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from faceengine.jobs import kinds, transitions
from faceengine.jobs.models import Attempt, Job
from tests.web.footage import stored
from tests.web.ways import claimed, converted
from webapp.accounts.models import User
from webapp.consent import leftovers, tombstones
from webapp.consent.models import Leftover
from webapp.projects.models import Project
from webapp.removal import deletion
from webapp.studio import services
from webapp.studio.errors import StudioError
from webapp.studio.models import Conversion, Run
from webapp.uploads import services as uploads
from webapp.uploads.arrivals import UploadError
from webapp.uploads.models import Asset, Upload

pytestmark = pytest.mark.django_db(transaction=True)


def video(run: Run) -> Asset:
    return Asset.objects.filter(person__project=run.project, person__side="a").earliest("pk")


def write(job: Job, name: str = "late.png") -> Path:
    """What a body writes that has not noticed yet."""
    path = Path(default_storage.path(f"{job.folder}/{name}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"late")
    return path


# ---- a dying body ----------------------------------------------------------------------------------------------------


def given_up(run: Run, owner: User) -> Conversion:
    """A conversion whose job failed since its runner was not heard of; body and runner may still be alive."""
    conversion = services.start_conversion(owner, run, video(run), {})
    job = claimed(conversion.job)
    assert transitions.fail(job.pk, job.attempt, "runner.lost", "not heard of")
    conversion.refresh_from_db()
    return conversion


def test_what_a_dying_body_writes_goes_when_its_runner_lets_go(run: Run, owner: User) -> None:
    conversion = given_up(run, owner)
    job = Job.objects.get(pk=conversion.job_id)
    deletion.delete_conversion(owner, conversion)
    late = write(job)
    kinds.get("convert").on_gone(job)
    assert not late.parent.exists()
    assert not Leftover.objects.filter(folder=job.folder).exists()


def test_it_goes_with_a_later_sweep_if_the_runner_is_dead_too(run: Run, owner: User) -> None:
    conversion = given_up(run, owner)
    job = Job.objects.get(pk=conversion.job_id)
    deletion.delete_conversion(owner, conversion)
    late = write(job)
    tombstones.sweep()
    assert not late.parent.exists()
    assert Leftover.objects.filter(folder=job.folder).exists(), "it may write once more"
    write(job)
    Leftover.objects.update(left_at=timezone.now() - leftovers.dying_time() - timedelta(seconds=1))
    tombstones.sweep()
    assert not late.parent.exists()
    assert not Leftover.objects.exists()


def test_a_picture_that_is_made_while_a_project_goes_goes_too(run: Run, owner: User) -> None:
    project, folder = run.project, run.project.folder
    deletion.delete_project(owner, project)
    default_storage.save(f"{folder}/a/thumbs/96/1.webp", ContentFile(b"late"))
    Leftover.objects.update(left_at=timezone.now() - timedelta(hours=1))
    leftovers.settle()
    assert stored() == set()


def test_what_ended_long_ago_is_not_looked_at_again(run: Run, owner: User) -> None:
    Attempt.objects.update(ended_at=timezone.now() - timedelta(hours=1))
    folder = run.job.folder
    deletion.delete_run(owner, run)
    assert not any(name.startswith(folder) for name in stored())
    assert not Leftover.objects.exists()


def test_a_store_that_is_away_is_asked_again(run: Run, owner: User, monkeypatch: Any) -> None:
    Attempt.objects.update(ended_at=timezone.now() - timedelta(hours=1))
    folder = run.job.folder

    def away(_: str) -> None:
        raise OSError("the store is away")

    with monkeypatch.context() as broken:
        broken.setattr(leftovers, "remove_folder", away)
        deletion.delete_run(owner, run)
    assert any(name.startswith(folder) for name in stored())
    tombstones.sweep()
    assert not any(name.startswith(folder) for name in stored())
    assert not Leftover.objects.exists()


def test_a_deletion_that_is_taken_back_takes_nothing(run: Run, owner: User, monkeypatch: Any) -> None:
    before = stored()

    def fails(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(leftovers, "leave", fails)
    with pytest.raises(RuntimeError):
        deletion.delete_run(owner, run)
    assert stored() == before
    assert Run.objects.exists()
    assert not Leftover.objects.exists()


# ---- somebody else at the same time ----------------------------------------------------------------------------------


def meanwhile(monkeypatch: Any, what: Callable[[], Any]) -> dict[str, Any]:
    """Do ``what`` on another connection once a deletion has seen that nothing is at work; how that ended."""
    usual, told = deletion._refuse_open, {}

    def other() -> None:
        try:
            told["made"] = what()
        except Exception as error:
            told["error"] = error
        finally:
            connection.close()

    def refuse_open(jobs: Any) -> None:
        usual(jobs)
        told["thread"] = threading.Thread(target=other)
        told["thread"].start()
        told["thread"].join(0.5)
        assert told["thread"].is_alive(), "it did not wait for its turn"

    monkeypatch.setattr(deletion, "_refuse_open", refuse_open)
    return told


def code_of(told: dict[str, Any]) -> str:
    told["thread"].join()
    assert "made" not in told, told
    assert isinstance(told["error"], (StudioError, UploadError)), repr(told["error"])
    return told["error"].code


def nothing_is_left_of(project: Project) -> None:
    """No job that nobody knows of any more, and no file that nobody names."""
    named = set(Run.objects.values_list("job", flat=True)) | set(Conversion.objects.values_list("job", flat=True))
    jobs = Job.objects.filter(kind__in=("train", "convert", "score", "convert-still"))
    assert set(jobs.values_list("pk", flat=True)) <= named


def test_who_converts_with_a_run_that_is_going_is_told_so(run: Run, owner: User, monkeypatch: Any) -> None:
    asset = video(run)
    told = meanwhile(monkeypatch, lambda: services.start_conversion(owner, run, asset, {}))
    deletion.delete_run(owner, run)
    assert code_of(told) == "removal.gone"
    nothing_is_left_of(run.project)


def test_who_asks_for_a_frame_or_a_longer_training_too(run: Run, owner: User, monkeypatch: Any) -> None:
    again = Run.objects.get(pk=run.pk)
    told = meanwhile(monkeypatch, lambda: services.train_longer(owner, again, iterations=10**6))
    deletion.delete_run(owner, run)
    assert code_of(told) == "removal.gone"
    nothing_is_left_of(run.project)
    with pytest.raises(StudioError, match="gone"):
        services.show_still(owner, again, video(again), {}, 0)


def test_who_scores_a_conversion_that_is_going_is_told_so(run: Run, owner: User, monkeypatch: Any) -> None:
    conversion = converted(run)
    again = Conversion.objects.get(pk=conversion.pk)
    told = meanwhile(monkeypatch, lambda: services.start_score(owner, again))
    deletion.delete_conversion(owner, conversion)
    assert code_of(told) == "removal.gone"
    nothing_is_left_of(run.project)


@pytest.mark.parametrize("what", ["extract", "train"])
def test_who_begins_in_a_project_that_is_going_is_told_so(run: Run, owner: User, monkeypatch: Any, what: str) -> None:
    project = Project.objects.get(pk=run.project_id)
    person = project.people.get(side="a")
    begin = {
        "extract": lambda: services.extract_faces(owner, person),
        "train": lambda: services.start_run(owner, project, "Another", {"preset": "tiny", "iterations": 20}),
    }
    told = meanwhile(monkeypatch, begin[what])
    deletion.delete_project(owner, run.project)
    assert code_of(told) == "removal.gone"
    assert not Job.objects.exists()


def test_who_retries_what_is_going_comes_too_late(run: Run, owner: User, monkeypatch: Any) -> None:
    conversion = given_up(run, owner)
    job = Job.objects.get(pk=conversion.job_id)
    told = meanwhile(monkeypatch, lambda: transitions.retry(job))
    deletion.delete_conversion(owner, conversion)
    told["thread"].join()
    assert told["made"] is False
    assert not Job.objects.filter(pk=job.pk).exists()


def test_a_file_that_becomes_whole_in_the_last_moment_goes_too(run: Run, owner: User, monkeypatch: Any) -> None:
    upload = uploads.begin(owner, run.project.people.get(side="a"), "clip.mov", 3)
    again = Upload.objects.select_related("person__project").get(pk=upload.pk)
    told = meanwhile(monkeypatch, lambda: uploads.append(again, 0, ContentFile(b"abc")))
    deletion.delete_project(owner, run.project)
    told["thread"].join()
    assert "made" not in told
    Leftover.objects.update(left_at=timezone.now() - timedelta(hours=1))
    leftovers.settle()
    assert not Asset.objects.exists()
    assert not Job.objects.exists()
    assert stored() == set()


def test_what_was_begun_before_keeps_it(run: Run, owner: User) -> None:
    services.start_conversion(owner, run, video(run), {})
    with pytest.raises(StudioError, match="busy"):
        deletion.delete_run(owner, run)
    assert Run.objects.exists()

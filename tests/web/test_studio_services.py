"""What the studio begins, refuses and keeps: extraction, training, conversion, score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.http import Http404

from faceengine.errors import ConfigError
from faceengine.events import Checkpoint, Losses, Preview
from faceengine.faceset import FaceSet as Files
from faceengine.jobs import transitions
from faceengine.jobs.access import get_job, get_job_to_steer
from faceengine.jobs.models import Job
from tests.web.footage import people, project_of, user
from tests.web.ways import TINY, claimed, converted, ended, faces, footage, scored, trained, write_set
from webapp.accounts.models import User
from webapp.curation.models import Crop, CropState, FaceSet
from webapp.projects.models import AuditEntry, Person, Project
from webapp.studio.errors import REASONS, StudioError
from webapp.studio.models import Run
from webapp.studio.services import ENOUGH, extract_faces, start_conversion, start_run, start_score
from webapp.uploads.models import Asset, AssetState

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(project: Project) -> Person:
    return project.people.get(side="a")


def refused(code: str, begin: Callable[[], object]) -> None:
    jobs = Job.objects.count()
    with pytest.raises(StudioError) as error:
        begin()
    assert error.value.code == code
    assert code in REASONS
    assert Job.objects.count() == jobs


# ---- faces -----------------------------------------------------------------------------------------------------------


def test_faces_come_from_all_footage_that_is_ready(owner: User, anna: Person) -> None:
    refused("faces.no_footage", lambda: extract_faces(owner, anna))
    files = [footage(anna).file, footage(anna, kind="photo").file]
    footage(anna, state=AssetState.CHECKING)
    face_set = extract_faces(owner, anna, every=3)
    assert face_set.job is not None
    assert (face_set.job.config["inputs"], face_set.job.config["every"]) == (files, 3)
    assert (face_set.folder, face_set.crops.count()) == ("", 0)
    refused("faces.busy", lambda: extract_faces(owner, anna))
    entry = AuditEntry.objects.get(verb="faces.extracted")
    assert (entry.actor, entry.project, entry.data) == (owner, anna.project, {"side": "a", "inputs": 2})


def test_new_footage_goes_into_the_same_set_and_verdicts_stay(owner: User, anna: Person) -> None:
    face_set = faces(anna, 5)
    Crop.objects.filter(number=2).update(state=CropState.REJECTED)
    refused("faces.nothing_new", lambda: extract_faces(owner, anna))
    more = footage(anna, "more.mp4")
    again = extract_faces(owner, anna, every=50)
    assert (again.pk, again.job) == (face_set.pk, face_set.job)
    assert again.job is not None
    assert more.file in again.job.config["inputs"]
    assert again.job.config["every"] == 6, "a set goes on with the settings it was begun with"
    write_set(again.job, 8)
    ended(again.job)
    assert Crop.objects.count() == 8
    assert Crop.objects.get(number=2).state == CropState.REJECTED


def test_what_a_failed_extraction_leaves_is_no_set_and_can_be_tried_again(owner: User, anna: Person) -> None:
    footage(anna)
    face_set = extract_faces(owner, anna)
    assert face_set.job is not None
    ended(face_set.job, fails="extract.no_face")
    face_set.refresh_from_db()
    assert (face_set.folder, face_set.crops.count()) == ("", 0)
    assert extract_faces(owner, anna).job == face_set.job
    assert Job.objects.get(pk=face_set.job.pk).state == "queued"


# ---- runs ------------------------------------------------------------------------------------------------------------


def test_a_run_needs_enough_faces_of_both(owner: User, project: Project, anna: Person) -> None:
    def start() -> Run:
        return start_run(owner, project, "First", TINY)

    refused("run.no_faces", start)
    faces(anna, ENOUGH)
    other = faces(project.people.get(side="b"), ENOUGH)
    Crop.objects.filter(face_set=other, number=1).update(state=CropState.DISPUTED)
    refused("run.few_faces", start)
    Crop.objects.filter(face_set=other, number=1).update(state=CropState.NEW)
    footage(anna, "more.mp4")
    extract_faces(owner, anna)
    refused("faces.busy", start)
    assert not Run.objects.exists()
    assert not AuditEntry.objects.filter(verb="run.started").exists()


def test_training_is_told_what_people_decided(owner: User, project: Project) -> None:
    sets = {person.side: faces(person) for person in project.people.all()}
    Crop.objects.filter(face_set=sets["a"], number__in=(1, 2)).update(state=CropState.REJECTED)
    Crop.objects.filter(face_set=sets["a"], number=3).update(state=CropState.DISPUTED)
    run = start_run(owner, project, "First", TINY)
    assert {side: run.job.config[side] for side in "ab"} == {side: one.folder for side, one in sets.items()}
    with Files.open(Path(default_storage.path(sets["a"].folder))) as files:
        assert [crop.id for crop in files.crops(usable=True)] == list(range(4, 31))


def test_a_refused_setting_leaves_nothing(owner: User, project: Project) -> None:
    for person in project.people.all():
        faces(person)
    with pytest.raises(ConfigError):
        start_run(owner, project, "First", TINY | {"batch": 0})
    assert not Run.objects.exists()


def test_previews_and_checkpoints_make_the_time_line(project: Project) -> None:
    run = trained(project)
    first, second = run.snapshots.all()
    assert (first.iteration, first.preview, first.checkpoint) == (10, "previews/000010.png", "")
    assert (second.preview, second.checkpoint) == ("previews/000020.png", "checkpoints/000020.safetensors")
    assert (first.losses["a.reconstruction"], second.losses["a.reconstruction"]) == (0.2, 0.1)


def test_an_iteration_that_is_told_again_is_one_snapshot(owner: User, project: Project) -> None:
    run = trained(project)
    assert transitions.extend(run.job, run.job.config | {"iterations": 30})
    again = claimed(Job.objects.get(pk=run.job.pk))
    told = [Losses(20, {"a.reconstruction": 0.05}, 5.0), Preview(20, "previews/b.png"), Checkpoint(20, "c")]
    assert transitions.record(again.pk, again.attempt, told)
    assert [one.iteration for one in run.snapshots.all()] == [10, 20]
    assert run.snapshots.get(iteration=20).losses == {"a.reconstruction": 0.05}


def test_a_branch_begins_with_a_checkpoint_that_is_there(owner: User, project: Project) -> None:
    run = trained(project)
    first, second = run.snapshots.all()
    refused("run.no_checkpoint", lambda: start_run(owner, project, "Branch", TINY, parent=first))
    branch = start_run(owner, project, "Branch", TINY, parent=second)
    assert branch.job.config["start_from"] == f"{run.job.folder}/{second.checkpoint}"
    default_storage.delete(f"{run.job.folder}/{second.checkpoint}")
    refused("run.no_checkpoint", lambda: start_run(owner, project, "Branch", TINY, parent=second))


# ---- conversions and scores ------------------------------------------------------------------------------------------


def test_whose_video_it_is_says_whose_face_it_gets(project: Project) -> None:
    run = trained(project)
    assert [converted(run, side).direction for side in "ab"] == ["a2b", "b2a"]


def test_a_conversion_needs_a_model_and_a_video_of_the_project(owner: User, project: Project) -> None:
    run = trained(project)
    video, photo = Asset.objects.earliest("pk"), footage(project.people.get(side="a"), kind="photo")
    elsewhere = footage(project_of(user("other")).people.get(side="a"))
    for asset in (photo, elsewhere):
        refused("convert.no_video", lambda asset=asset: start_conversion(owner, run, asset, {}))  # type: ignore[misc]
    young = start_run(owner, project, "Young", TINY)
    refused("convert.no_model", lambda: start_conversion(owner, young, video, {}))
    snapshot = run.snapshots.get(iteration=20)
    conversion = start_conversion(owner, run, video, {"blend": "poisson"}, snapshot=snapshot)
    assert conversion.job.config["model"].endswith("checkpoints/000020.safetensors")
    assert (conversion.job.config["video"], conversion.job.config["blend"]) == (video.file, "poisson")


def test_a_score_compares_the_result_with_what_it_should_be(owner: User, project: Project) -> None:
    run = trained(project)
    conversion = converted(run)
    score = start_score(owner, conversion)
    wanted = FaceSet.objects.get(person__project=project, person__side="b")
    assert score.job.config["result"] == f"{conversion.job.folder}/result.mp4"
    assert (score.job.config["wanted"], score.job.config["run"]) == (wanted.folder, run.job.folder)
    refused("score.busy", lambda: start_score(owner, conversion))
    ended(score.job, fails="score.no_face")
    assert start_score(owner, conversion) == score


def test_what_can_not_be_scored(owner: User, project: Project) -> None:
    run = trained(project)
    video = Asset.objects.filter(kind="video", person__side="a").earliest("pk")
    unborn = start_conversion(owner, run, video, {})
    refused("score.no_result", lambda: start_score(owner, unborn))
    transitions.cancel(unborn.job)
    wide = converted(run, layout="pair")
    refused("score.side_by_side", lambda: start_score(owner, wide))
    orphan = converted(run)
    video.delete()
    orphan.refresh_from_db()
    refused("score.no_original", lambda: start_score(owner, orphan))


# ---- whose jobs they are ---------------------------------------------------------------------------------------------


def test_jobs_of_a_project_are_its_team_s(project: Project) -> None:
    everybody = people(project)
    run = trained(project)
    conversion = converted(run)
    score = scored(conversion)
    extraction = FaceSet.objects.get(person__side="a").job
    assert extraction is not None
    staff = User.objects.create_superuser("staff@example.org", "a long password")
    for job in (extraction, run.job, conversion.job, score.job):
        for name in ("owner", "editor"):
            assert get_job_to_steer(everybody[name], job.pk) == job
        for name in ("reviewer", "viewer"):
            assert get_job(everybody[name], job.pk) == job
            with pytest.raises(PermissionDenied):
                get_job_to_steer(everybody[name], job.pk)
        for outsider in (everybody["stranger"], staff):
            with pytest.raises(Http404):
                get_job(outsider, job.pk)

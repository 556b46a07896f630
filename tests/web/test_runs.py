"""Starting a training, its page, comparing snapshots, converting: what each kind of visitor gets."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from faceengine.events import Checkpoint, Message, Preview, Progress
from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from tests.web.footage import client_of, people, project_of, user
from tests.web.test_projects import CHANGED, SEEN, answers
from tests.web.ways import claimed, ended, faces, footage, trained
from webapp.accounts.models import User
from webapp.projects.models import AuditEntry, Project
from webapp.studio import services
from webapp.studio.estimates import estimates
from webapp.studio.models import Conversion, Run, Still
from webapp.uploads.models import Asset

pytestmark = pytest.mark.django_db


# ---- starting one ----------------------------------------------------------------------------------------------------


def test_who_may_start_a_run(project: Project) -> None:
    url = f"/projects/{project.pk}/runs/new/"
    expected = SEEN | {"reviewer": 403, "viewer": 403}
    assert answers(project, "get", url) == expected


def test_who_may_send_the_form(project: Project) -> None:
    for person in project.people.all():
        faces(person)
    said = {"name": "One", "preset": "tiny", "iterations": 20}
    assert answers(project, "post", f"/projects/{project.pk}/runs/new/", said) == CHANGED
    assert Run.objects.count() == 2


def test_the_form_s_settings_are_the_config_s(owner: User, project: Project) -> None:
    for person in project.people.all():
        faces(person)
    said = {"name": "One", "preset": "quick", "minutes": "12.5", "octave": "0.25", "batch": "", "seed": "7"}
    client_of(owner).post(f"/projects/{project.pk}/runs/new/", said)
    config = Run.objects.get().job.config
    assert {name: config[name] for name in ("preset", "minutes", "octave", "seed")} == {
        "preset": "quick", "minutes": 12.5, "octave": 0.25, "seed": 7,
    }  # fmt: skip
    assert (config["batch"], config["iterations"], config["preview_every"]) == (None, None, 300)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"preset": "none"},
        {"batch": 0},
        {"octave": 0.3},
        {"minutes": 5, "iterations": 5},
        {"minutes": "x"},
    ],
)
def test_the_form_refuses_what_the_engine_would(owner: User, project: Project, wrong: dict[str, Any]) -> None:
    for person in project.people.all():
        faces(person)
    said = {"name": "One", "preset": "tiny"} | wrong
    answer = client_of(owner).post(f"/projects/{project.pk}/runs/new/", said)
    assert answer.status_code == 200
    assert 'class="bad"' in answer.content.decode()
    assert not Run.objects.exists()


def test_a_run_without_faces_is_refused_in_words(owner: User, project: Project) -> None:
    answer = client_of(owner).post(f"/projects/{project.pk}/runs/new/", {"name": "One", "preset": "tiny"})
    assert "has no faces yet" in answer.content.decode()


def test_a_branch_has_the_settings_of_its_run(owner: User, project: Project, run: Run) -> None:
    snapshot = run.snapshots.get(iteration=20)
    url = f"/projects/{project.pk}/runs/new/"
    page = client_of(owner).get(f"{url}?parent={snapshot.pk}").content.decode()
    assert 'value="tiny" selected' in page
    assert "at iteration 20" in page
    client_of(owner).post(url, {"name": "Branch", "preset": "tiny", "parent": snapshot.pk})
    branch = Run.objects.get(name="Branch")
    assert (branch.parent, branch.job.config["start_from"]) == (snapshot, f"{run.job.folder}/{snapshot.checkpoint}")
    elsewhere = trained(project_of(user("other"))).snapshots.get(iteration=20)
    answer = client_of(owner).post(url, {"name": "Thief", "preset": "tiny", "parent": elsewhere.pk})
    assert answer.status_code == 200
    assert not Run.objects.filter(name="Thief").exists()


# ---- its page --------------------------------------------------------------------------------------------------------


def test_who_sees_a_run(project: Project, run: Run) -> None:
    assert answers(project, "get", f"/runs/{run.pk}/") == SEEN


def test_who_gets_its_previews(project: Project, run: Run) -> None:
    assert answers(project, "get", f"/jobs/{run.job.pk}/files/previews/000020.png") == SEEN


def test_only_who_may_convert_is_offered_it(project: Project, run: Run) -> None:
    for name, someone in people(project).items():
        if name in ("stranger", "anonymous"):
            continue
        page = client_of(someone).get(f"/runs/{run.pk}/").content.decode()
        assert (f"/runs/{run.pk}/convert/" in page) == ("?parent=" in page) == (name in ("owner", "editor")), name


def test_two_snapshots_stand_side_by_side(owner: User, run: Run) -> None:
    one, other = run.snapshots.all()
    page = client_of(owner).get(f"/runs/{run.pk}/?one={one.pk}&other={other.pk}").content.decode()
    assert page.count("previews/000010.png") == 3  # and in the list for those without scripts
    for strange in ("x", "9" * 30, "-1", str(10**9)):
        assert client_of(owner).get(f"/runs/{run.pk}/?one={strange}").status_code == 200


def test_a_long_run_s_page_is_no_longer_and_asks_no_more(owner: User, run: Run) -> None:
    client, url = client_of(owner), f"/runs/{run.pk}/"
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    assert transitions.extend(run.job, run.job.config | {"iterations": 10**6})
    again = claimed(Job.objects.get(pk=run.job.pk))
    for number in range(1, 500):
        assert transitions.record(again.pk, again.attempt, [Preview(100 * number, f"previews/{number}.png")])
    assert transitions.record(again.pk, again.attempt, [Checkpoint(50_000, "gone")])
    with CaptureQueriesContext(connection) as many:
        page = client.get(url).content.decode()
    assert len(many) <= len(few) <= 10
    assert page.count("<option") < 2 * 300 + 50
    assert ">49900<" in page


def test_how_long_a_training_takes_is_what_one_here_has_told(owner: User, project: Project, run: Run) -> None:
    def known() -> dict[str, float | None]:
        return {one.preset: one.here for one in estimates()}

    assert set(known().values()) == {None}
    changed = run.job.config | {"batch": 3}
    again = transitions.submit("train", changed, owner=owner, mandate=run.job.mandate)
    ended(again, Progress("train", 20, 20, "iterations", 99.0))
    assert known()["tiny"] is None
    again = transitions.submit("train", run.job.config, owner=owner, mandate=run.job.mandate)
    ended(again, Progress("train", 20, 20, "iterations", 4.0))
    assert known()["tiny"] == 4.0
    page = client_of(owner).get(f"/projects/{project.pk}/runs/new/").content.decode()
    assert "about 5 s, at the 4.0 iterations/s measured on this installation" in page
    assert "about 28 h 48 min on two CPU cores without a GPU" in page


def test_a_warning_is_told_once_and_says_what_to_do(owner: User, run: Run) -> None:
    assert transitions.extend(run.job, run.job.config | {"iterations": 100})
    leans = Message("warning", "train.leans", "person B is learned worse")
    ended(run.job, leans, Message("info", "train.begin", "it begins"), leans)
    page = client_of(owner).get(f"/runs/{run.pk}/").content.decode()
    assert page.count("One person is learned less well than the other") == 1
    assert "× 2" in page
    assert "needs more crops" in page
    assert "it begins" not in page


# ---- training longer -------------------------------------------------------------------------------------------------


def test_who_may_train_longer(project: Project, run: Run) -> None:
    assert answers(project, "post", f"/runs/{run.pk}/longer/", {"iterations": 40}) == CHANGED | {"editor": 200}


@pytest.mark.parametrize(("said", "config"), [({"minutes": "2.5"}, (2.5, None)), ({"iterations": "40"}, (None, 40))])
def test_a_run_goes_on_in_its_folder(owner: User, run: Run, said: dict[str, str], config: tuple[Any, Any]) -> None:
    page = client_of(owner).get(f"/runs/{run.pk}/").content.decode()
    assert "Training continues from iteration 20" in page
    client_of(owner).post(f"/runs/{run.pk}/longer/", said)
    job = Job.objects.get(pk=run.job.pk)
    assert (job.state, job.config["minutes"], job.config["iterations"]) == ("queued", *config)
    assert AuditEntry.objects.filter(verb="run.extended").count() == 1
    page = client_of(owner).get(f"/runs/{run.pk}/").content.decode()
    assert "Training continues from iteration" not in page


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, "Enter either minutes or iterations"),
        ({"minutes": "1", "iterations": "40"}, "Enter either minutes or iterations"),
        ({"minutes": "-1"}, "greater than or equal"),
        ({"iterations": "20"}, "The training has already reached this iteration"),
    ],
)
def test_what_is_no_longer_training(owner: User, run: Run, said: dict[str, str], reason: str) -> None:
    answer = client_of(owner).post(f"/runs/{run.pk}/longer/", said)
    assert answer.status_code == 200
    assert reason in answer.content.decode()
    assert Job.objects.get(pk=run.job.pk).state == "done"


def test_a_run_that_is_not_over_is_not_extended(owner: User, run: Run) -> None:
    client_of(owner).post(f"/runs/{run.pk}/longer/", {"iterations": "40"})
    answer = client_of(owner).post(f"/runs/{run.pk}/longer/", {"iterations": "60"})
    assert answer.status_code == 200
    assert Job.objects.get(pk=run.job.pk).config["iterations"] == 40


# ---- a still ---------------------------------------------------------------------------------------------------------


def still_said(run: Run, **changes: Any) -> dict[str, Any]:
    asset = Asset.objects.filter(person__project=run.project, kind="video").earliest("pk")
    Asset.objects.filter(pk=asset.pk).update(fps=25.0, frames=100, duration=4.0)
    return {"asset": asset.pk, "blend": "poisson", "color": "mean", "layout": "result", "at": "2.0"} | changes


def test_who_may_preview_a_frame(project: Project, run: Run) -> None:
    assert answers(project, "post", f"/runs/{run.pk}/still/", still_said(run)) == CHANGED
    assert Still.objects.count() == 2
    assert not Conversion.objects.exists()


@pytest.mark.parametrize(("at", "frame"), [("2.0", 50), ("", 0), ("999", 99)])
def test_a_still_is_a_frame_of_the_conversion_with_the_form_s_settings(
    owner: User, run: Run, at: str, frame: int
) -> None:
    answer = client_of(owner).post(f"/runs/{run.pk}/still/", still_said(run, at=at, sharpen="0.5"))
    made = Still.objects.get()
    assert answer["location"] == f"/runs/{run.pk}/?like={made.pk}#stills"
    wanted = {"blend": "poisson", "sharpen": 0.5, "layout": "pair", "start": frame, "end": frame + 1, "device": "cpu"}
    assert wanted.items() <= made.job.config.items()
    assert (made.job.slot_kind, made.job.priority) == ("cpu", 5)
    page = client_of(owner).get(answer["location"]).content.decode()
    assert 'value="poisson" selected' in page
    assert "sharpening: 0.5" in page


def test_a_still_that_is_done_is_shown_signed_and_with_its_label_as_drawn(owner: User, run: Run) -> None:
    client_of(owner).post(f"/runs/{run.pk}/still/", still_said(run))
    job = Still.objects.get().job
    picture = BytesIO()
    Image.new("RGB", (640, 240), "green").save(picture, "JPEG")
    default_storage.save(f"{job.folder}/still.jpg", ContentFile(picture.getvalue()))
    ended(job, Preview(50, "still.jpg"), result={"path": "still.jpg", "swapped": False, "stopped": False})
    client, url = client_of(owner), f"/jobs/{job.pk}/files/still.jpg"
    page = client.get(f"/runs/{run.pk}/").content.decode()
    assert url in page
    assert "The person was not found in this frame." in page
    for query in ("", "?download"):
        answer = client.get(url + query)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        with Image.open(BytesIO(content)) as shown:
            assert shown.size == (640, 240)
        assert b"c2pa" in content
        assert b"AIGC" in content


def test_of_a_run_s_stills_the_newest_are_kept(owner: User, run: Run, django_capture_on_commit_callbacks: Any) -> None:
    client, said = client_of(owner), still_said(run)
    for number in range(services.STILLS + 3):
        with django_capture_on_commit_callbacks(execute=True):
            client.post(f"/runs/{run.pk}/still/", said)
        if number != 1:  # which goes on as long as it is at work
            job = Still.objects.order_by("-pk")[0].job
            default_storage.save(f"{job.folder}/still.jpg", ContentFile(b"picture"))
            ended(job, result={"path": "still.jpg", "swapped": True, "stopped": False})
    left = list(Still.objects.order_by("pk"))
    assert len(left) == services.STILLS + 1
    assert left[0].job.state == "queued"
    assert Job.objects.filter(kind="convert-still").count() == len(left)
    kept = {path.parent.name for path in Path(default_storage.path("jobs")).rglob("still.jpg")}
    assert kept == {str(still.job_id) for still in left[1:]}


# ---- converting ------------------------------------------------------------------------------------------------------


def test_who_may_convert(project: Project, run: Run) -> None:
    asset = Asset.objects.filter(kind="video").earliest("pk")
    said = {"asset": asset.pk, "blend": "mask", "color": "mean", "layout": "result"}
    assert answers(project, "post", f"/runs/{run.pk}/convert/", said) == CHANGED
    assert Conversion.objects.count() == 2


def test_the_conversion_gets_the_form_s_settings(owner: User, run: Run) -> None:
    asset = Asset.objects.filter(person__side="b").earliest("pk")
    snapshot = run.snapshots.get(iteration=20)
    said = {"asset": asset.pk, "snapshot": snapshot.pk, "blend": "poisson", "color": "lab", "layout": "pair", "crf": 30}
    client_of(owner).post(f"/runs/{run.pk}/convert/", said)
    made = Conversion.objects.get()
    assert (made.asset, made.snapshot, made.direction) == (asset, snapshot, "b2a")
    wanted = {"blend": "poisson", "color": "lab", "layout": "pair", "crf": 30, "video": asset.file}
    assert wanted.items() <= made.job.config.items()


def test_only_videos_of_the_project_and_kept_snapshots_can_be_chosen(owner: User, run: Run) -> None:
    photo = footage(run.project.people.get(side="a"), kind="photo")
    elsewhere = footage(project_of(user("other")).people.get(side="a"))
    video = Asset.objects.filter(person__project=run.project, kind="video").earliest("pk")
    without = run.snapshots.get(iteration=10)
    wrong = ({"asset": photo.pk}, {"asset": elsewhere.pk}, {}, {"asset": video.pk, "snapshot": without.pk})
    for said in (*wrong, {"asset": video.pk, "blend": "magic"}, {"asset": video.pk, "crf": 99}):
        assert client_of(owner).post(f"/runs/{run.pk}/convert/", said).status_code == 200
    assert not Conversion.objects.exists()

"""Starting a training, its page, comparing snapshots, converting: what each kind of visitor gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from faceengine.events import Checkpoint, Preview
from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from tests.web.footage import client_of, people, project_of, user
from tests.web.test_projects import CHANGED, SEEN, answers
from tests.web.ways import claimed, faces, footage, trained
from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.studio.models import Conversion, Run
from webapp.uploads.models import Asset

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def owner() -> User:
    return user("owner")


@pytest.fixture
def project(owner: User) -> Project:
    return project_of(owner)


@pytest.fixture
def run(project: Project) -> Run:
    return trained(project)


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
    said = {"name": "One", "preset": "demo", "minutes": "12.5", "octave": "0.25", "batch": "", "seed": "7"}
    client_of(owner).post(f"/projects/{project.pk}/runs/new/", said)
    config = Run.objects.get().job.config
    assert {name: config[name] for name in ("preset", "minutes", "octave", "seed")} == {
        "preset": "demo", "minutes": 12.5, "octave": 0.25, "seed": 7,
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
    assert page.count("previews/000010.png") == 2
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

"""The list of projects, a new one, and one project's page: what each kind of visitor gets, and what is told next."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from faceengine.jobs.models import Job
from tests.web.consents import consent_of
from tests.web.footage import client_of, member, people, user
from tests.web.ways import TINY, converted, ended, faces, footage, owner_of, scored, trained
from webapp.accounts.models import Team, User
from webapp.consent.models import Consent
from webapp.curation.models import Crop, CropState, FaceSet
from webapp.projects.models import AuditEntry, Project
from webapp.projects.services import create_project
from webapp.studio import services
from webapp.studio.standing import standings
from webapp.uploads.models import Asset, AssetState

pytestmark = pytest.mark.django_db

SEEN = {"owner": 200, "editor": 200, "reviewer": 200, "viewer": 200, "stranger": 404, "anonymous": 302}
CHANGED = {"owner": 302, "editor": 302, "reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 302}


def answers(project: Project, method: str, url: str, data: Any = None) -> dict[str, int]:
    return {name: getattr(client_of(one), method)(url, data or {}).status_code for name, one in people(project).items()}


# ---- the list --------------------------------------------------------------------------------------------------------


def test_the_start_shows_one_s_own_projects(owner: User, project: Project) -> None:
    elsewhere = create_project(user("other"), Team.objects.create(name="Other"), "Secret")
    page = client_of(owner).get("/").content.decode()
    assert f"/projects/{project.pk}/" in page
    assert elsewhere.name not in page
    assert client_of(None).get("/").headers["Location"] == "/sign-in/?next=/"


def test_the_start_asks_the_database_no_more_for_many(owner: User, project: Project) -> None:
    client = client_of(owner)
    with CaptureQueriesContext(connection) as few:
        client.get("/")
    for number in range(30):
        create_project(owner, project.team, f"Project {number}")
    with CaptureQueriesContext(connection) as many:
        client.get("/")
    assert len(many) == len(few) <= 10


def test_the_first_project_makes_the_first_team() -> None:
    new = user("new")
    said = {"name": "First", "a": "Anna", "b": "Bruno"}
    answer = client_of(new).post("/projects/new/", said)
    project = Project.objects.get()
    assert answer.headers["Location"] == f"/projects/{project.pk}/"
    assert owner_of(project) == new
    assert [str(person) for person in project.people.all()] == ["Anna", "Bruno"]


def test_a_project_belongs_to_a_team_that_one_may_edit_in(owner: User, project: Project) -> None:
    elsewhere = Team.objects.create(name="Elsewhere")
    client = client_of(owner)
    assert client.post("/projects/new/", {"name": "Mine", "team": elsewhere.pk}).status_code == 200
    assert client.post("/projects/new/", {"name": "", "team": project.team_id}).status_code == 200
    assert Project.objects.count() == 1
    assert client.post("/projects/new/", {"name": "Mine", "team": project.team_id}).status_code == 302
    assert client_of(member(project, "viewer")).get("/projects/new/").status_code == 403


# ---- one project -----------------------------------------------------------------------------------------------------


def test_who_sees_a_project(project: Project) -> None:
    assert answers(project, "get", f"/projects/{project.pk}/") == SEEN


def test_only_who_may_begin_something_is_offered_it(project: Project) -> None:
    footage(project.people.get(side="a"))
    for name, someone in people(project).items():
        if name in ("stranger", "anonymous"):
            continue
        page = client_of(someone).get(f"/projects/{project.pk}/").content.decode()
        assert ("/a/extract/" in page) == ("/runs/new/" in page) == (name in ("owner", "editor")), name


@pytest.mark.parametrize("what", ["rename", "a/extract"])
def test_who_may_change_a_project(project: Project, what: str) -> None:
    footage(project.people.get(side="a"))
    url = f"/projects/{project.pk}/{what}/"
    assert client_of(owner_of(project)).get(url).status_code == 405
    assert answers(project, "post", url, {"name": "Other", "every": 6, "size": 256}) == CHANGED


def test_renaming_leaves_a_trail(owner: User, project: Project) -> None:
    client_of(owner).post(f"/projects/{project.pk}/rename/", {"name": "<b>Other"})
    assert "&lt;b&gt;Other" in client_of(owner).get(f"/projects/{project.pk}/").content.decode()
    assert AuditEntry.objects.get(verb="project.renamed").data == {"before": "Project", "name": "<b>Other"}


def test_the_extraction_gets_the_form_s_settings(owner: User, project: Project) -> None:
    client, url = client_of(owner), f"/projects/{project.pk}/a/extract/"
    footage(project.people.get(side="a"))
    for refused in ({"every": 0}, {"every": "x"}, {"size": 10_000}):
        client.post(url, refused)
        assert not FaceSet.objects.exists()
    client.post(url, {"every": 12, "size": ""})
    job = FaceSet.objects.get().job
    assert job is not None
    assert (job.config["every"], job.config["size"]) == (12, 256)
    assert "are already being extracted" in client.post(url, follow=True).content.decode()


def test_a_project_s_page_asks_the_database_no_more_for_many(owner: User, project: Project) -> None:
    run = trained(project)
    scored(converted(run))
    client, url = client_of(owner), f"/projects/{project.pk}/"
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for number in range(3):
        scored(converted(trained(project, f"{number}")))
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few) <= 10


# ---- the next thing to do --------------------------------------------------------------------------------------------


def told(project: Project) -> tuple[str, str]:
    (standing,) = standings([Project.objects.select_related("team").get(pk=project.pk)])
    page = client_of(owner_of(project)).get(f"/projects/{project.pk}/").content.decode()
    assert str(standing.next.text).split("'")[0] in page
    return standing.step, standing.next.url


def test_every_step_of_the_way_tells_the_next(owner: User, project: Project) -> None:
    base = f"/projects/{project.pk}"
    anna, bruno = project.people.all()
    assert told(project) == ("upload", f"{base}/a/footage/")
    asset = footage(anna, state=AssetState.CHECKING)
    assert told(project) == ("upload", "")
    Asset.objects.filter(pk=asset.pk).update(state=AssetState.READY)
    assert told(project) == ("upload", f"{base}/a/extract/"), "A can be extracted while B's footage is still to come"
    faces(anna)
    assert told(project) == ("upload", f"{base}/b/footage/")
    footage(bruno)
    assert told(project) == ("extract", f"{base}/b/extract/")
    services.extract_faces(owner, bruno)
    assert told(project) == ("extract", "")
    ended(FaceSet.objects.get(person=bruno).job, fails="extract.no_face")  # type: ignore[arg-type]
    assert told(project) == ("extract", f"{base}/b/extract/")
    faces(bruno, 24)
    assert told(project) == ("extract", f"{base}/b/footage/")
    footage(bruno, "more.mp4")
    faces(bruno)
    assert told(project) == ("curate", f"{base}/a/faces/")
    Crop.objects.filter(number=1).update(state=CropState.KEPT)
    assert told(project) == ("train", f"{base}/runs/new/")
    run = services.start_run(owner, project, "First", TINY)
    assert told(project) == ("train", "")
    ended(run.job, fails="train.nan")
    assert told(project) == ("train", f"{base}/runs/new/")
    good = trained(project)
    assert told(project) == ("convert", f"/runs/{good.pk}/#convert")
    conversion = services.start_conversion(owner, good, Asset.objects.earliest("pk"), {})
    assert told(project) == ("convert", "")
    Job.objects.filter(pk=conversion.job.pk).update(state="cancelled")
    done = converted(good)
    assert told(project) == ("score", f"/conversions/{done.pk}/")
    score = services.start_score(owner, done)
    assert told(project) == ("score", "")
    Job.objects.filter(pk=score.job.pk).update(state="failed")
    assert told(project) == ("score", f"/conversions/{done.pk}/")
    scored(done)
    assert told(project) == ("", f"/conversions/{done.pk}/")


def test_the_first_step_is_that_both_people_agree(owner: User, project: Project) -> None:
    Consent.objects.all().delete()
    (standing,) = standings([project])
    assert (standing.step, standing.agreed) == ("consent", False)
    assert "A for consent" in standing.next.text
    anna, bruno = project.people.all()
    consent_of(anna, "asked")
    assert "B for consent" in standings([project])[0].next.text, "A's turn keeps nobody from asking B"
    consent_of(bruno)
    assert "has not answered" in standings([project])[0].next.text
    consent_of(anna, "waiting")
    assert "is waiting for review" in standings([project])[0].next.text
    page = client_of(owner).get(f"/projects/{project.pk}/").content.decode()
    assert "waiting for review" in page
    assert "runs/new" not in page
    consent_of(anna)
    assert standings([project])[0].step == "upload"

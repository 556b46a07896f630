"""The API: who may do what by a token, the same refusals as in the browser, and its description."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from faceengine.jobs.models import Job
from tests.web.consents import consent_of
from tests.web.footage import PART, client_of, people, project_of, user
from tests.web.ways import TINY, converted, faces, scored, still_of, trained
from webapp.accounts.models import User
from webapp.api.models import ApiToken
from webapp.api.tokens import make_token, user_of
from webapp.consent.models import Consent, Mandate
from webapp.curation.models import Verdict
from webapp.projects.models import Project
from webapp.studio.models import Run
from webapp.uploads.models import Upload

VIEWS = {"owner": 200, "editor": 200, "reviewer": 200, "viewer": 200, "stranger": 404, "anonymous": 401}


class Script:
    """Sends requests with a token, and with no cookies."""

    def __init__(self, someone: User | None) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.headers = {"Authorization": f"Bearer {make_token(someone, 'test')}"} if someone else {}

    def get(self, path: str, **said: Any) -> Any:
        return self.client.get(f"/api{path}", said, headers=self.headers)

    def post(self, path: str, said: Any = None) -> Any:
        body = json.dumps({} if said is None else said)
        return self.client.post(f"/api{path}", body, content_type="application/json", headers=self.headers)


@pytest.fixture
def project(db: None) -> Project:
    return project_of(user("owner"))


@pytest.fixture
def run(project: Project) -> Run:
    made = trained(project)
    scored(converted(made))
    return made


@pytest.fixture
def scripts(project: Project) -> dict[str, Script]:
    return {name: Script(one) for name, one in people(project).items()}


def test_a_token_is_shown_once_and_can_be_revoked(db: None) -> None:
    anna = user("anna")
    browser = client_of(anna)
    shown = browser.post("/api/tokens/", {"name": "Night job"}).content.decode()
    token = shown.split('class="once">')[1].split("<")[0]
    assert token not in browser.get("/api/tokens/").content.decode()
    assert "Night job" in browser.get("/api/tokens/").content.decode()
    assert token not in ApiToken.objects.get().token_hash
    assert user_of(token) == anna
    assert ApiToken.objects.get().used_at
    assert client_of(user("other")).post(f"/api/tokens/{ApiToken.objects.get().pk}/revoke/").status_code == 404
    browser.post(f"/api/tokens/{ApiToken.objects.get().pk}/revoke/")
    assert user_of(token) is None
    assert Client().get("/api/projects", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_pages_about_it(db: None) -> None:
    assert Client().get("/api/").status_code == 200
    assert Client().get("/api/tokens/").status_code == 302


def test_a_deactivated_person_s_token_opens_nothing(db: None) -> None:
    script = Script(user("anna"))
    assert script.get("/projects").status_code == 200
    User.objects.update(is_active=False)
    assert script.get("/projects").status_code == 401


def test_a_session_is_no_token(project: Project) -> None:
    owner = User.objects.get(memberships__team=project.team)
    assert client_of(owner).get("/api/projects").status_code == 401
    assert client_of(owner).post("/api/projects", {}, content_type="application/json").status_code == 401


def test_who_may_look(run: Run, scripts: dict[str, Script]) -> None:
    conversion = run.conversions.get()
    asset = conversion.asset_id
    base = f"/projects/{run.project.pk}"
    for path in (
        base, f"{base}/assets", f"/assets/{asset}", f"{base}/a/faces", f"/runs/{run.pk}",
        f"/conversions/{conversion.pk}", f"/jobs/{run.job_id}",
    ):  # fmt: skip
        assert {name: script.get(path).status_code for name, script in scripts.items()} == VIEWS, path


def test_who_may_change(run: Run, scripts: dict[str, Script]) -> None:
    base, conversion = f"/projects/{run.project.pk}", run.conversions.get()
    changes: dict[str, Any] = {
        f"{base}/a/extract": {},
        f"{base}/runs": {"name": "x", "settings": TINY},
        f"/runs/{run.pk}/conversions": {"asset": conversion.asset_id},
        f"/runs/{run.pk}/stills": {"asset": conversion.asset_id},
        f"/runs/{run.pk}/longer": {"minutes": 1},
        f"/conversions/{conversion.pk}/score": {},
        f"/jobs/{run.job_id}/pause": {},
    }
    for path, said in changes.items():
        for name, code in {"reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 401}.items():
            assert scripts[name].post(path, said).status_code == code, (name, path)
    verdicts = f"{base}/a/faces/verdicts"
    for name, code in {"viewer": 403, "stranger": 404, "anonymous": 401, "reviewer": 200}.items():
        assert scripts[name].post(verdicts, {"numbers": [1, 2], "value": "reject"}).status_code == code, name
    assert Verdict.objects.filter(value="reject").count() == 2


def test_the_whole_way(project: Project, scripts: dict[str, Script]) -> None:
    script = scripts["editor"]
    for person in project.people.all():
        faces(person)
    found = script.get(f"/projects/{project.pk}").json()
    assert [one["consent"] for one in found["people"]] == ["live", "live"]
    assert found["step"] in ("curate", "train")
    started = script.post(f"/projects/{project.pk}/runs", {"name": "By script", "settings": TINY})
    assert started.status_code == 202
    assert started.json()["job"]["state"] == "queued"
    assert Job.objects.get(pk=started.json()["job"]["id"]).config["iterations"] == 20
    assert script.post(f"/jobs/{started.json()['job']['id']}/cancel").json()["state"] == "cancelled"
    late = script.post(f"/jobs/{started.json()['job']['id']}/pause")
    assert (late.status_code, late.json()["code"]) == (409, "job.too_late")


def test_a_training_goes_on_and_a_frame_is_previewed(run: Run, scripts: dict[str, Script]) -> None:
    script, asset = scripts["editor"], run.conversions.get().asset_id
    still = still_of(run)
    found = script.get(f"/stills/{still.pk}").json()
    assert found["picture"] == f"/jobs/{still.job_id}/files/still.jpg"
    assert scripts["stranger"].get(f"/stills/{still.pk}").status_code == 404
    begun = script.post(f"/runs/{run.pk}/stills", {"asset": asset, "seconds": 1.5, "settings": {"blend": "direct"}})
    assert (begun.status_code, begun.json()["job"]["kind"], begun.json()["picture"]) == (202, "convert-still", None)
    assert script.post(f"/runs/{run.pk}/longer", {}).status_code == 422
    assert script.post(f"/runs/{run.pk}/longer", {"iterations": 20}).json()["code"] == "run.long_enough"
    longer = script.post(f"/runs/{run.pk}/longer", {"iterations": 40})
    assert (longer.status_code, longer.json()["job"]["state"]) == (202, "queued")
    assert script.post(f"/runs/{run.pk}/longer", {"minutes": 1}).json()["code"] == "run.busy"


def test_a_score_comes_with_its_figures_and_files_with_ranges(run: Run, scripts: dict[str, Script]) -> None:
    script = scripts["viewer"]
    found = script.get(f"/conversions/{run.conversions.get().pk}").json()
    assert found["report"]["similarity"] == 0.93
    assert found["score"]["state"] == "done"
    snapshots = script.get(f"/runs/{run.pk}").json()["snapshots"]
    assert [one["iteration"] for one in snapshots] == [10, 20]
    asset = script.get(f"/projects/{run.project.pk}/assets").json()[0]
    part = script.client.get(asset["file"], headers=script.headers | {"Range": "bytes=0-2"})
    assert part.status_code == 206


def test_a_project_is_begun_and_waits_for_consent(db: None) -> None:
    script = Script(user("anna"))
    made = script.post("/projects", {"name": "New", "a": "A", "b": "B"})
    assert made.status_code == 201
    assert made.json()["step"] == "consent"
    refused = script.post(f"/projects/{made.json()['id']}/a/extract")
    assert (refused.status_code, refused.json()["code"]) == (409, "consent.missing")
    viewer = Project.objects.get().team
    assert viewer.memberships.get().role == "owner"


def test_without_live_consents_nothing_is_given_out(run: Run, scripts: dict[str, Script]) -> None:
    Mandate.objects.all().delete()
    Consent.objects.update(expires_at="2020-01-01T00:00:00Z")
    consent_of(run.project.people.get(side="a"), "expired")
    base, conversion = f"/projects/{run.project.pk}", run.conversions.get()
    for path in (f"{base}/assets", f"{base}/a/faces", f"/runs/{run.pk}", f"/conversions/{conversion.pk}"):
        assert scripts["owner"].get(path).status_code == 409, path
    assert scripts["owner"].get(base).status_code == 200


def test_uploads_take_the_token_and_no_form_secret(project: Project, scripts: dict[str, Script]) -> None:
    address = f"/projects/{project.pk}/a/uploads/"
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": "filename Y2xpcC5tcDQ="}
    for name, code in {"anonymous": 403, "viewer": 403, "stranger": 404, "editor": 201}.items():
        script = scripts[name]
        answer = script.client.post(
            address, b"", content_type="application/octet-stream", headers=script.headers | headers
        )
        assert answer.status_code == code, name
    url = answer["Location"]
    part = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    editor = scripts["editor"]
    assert editor.client.patch(url, b"123456789", content_type=PART, headers=editor.headers | part).status_code == 204
    assert Upload.objects.get().offset == 9


@pytest.mark.parametrize(
    ("path", "said", "status", "code"),
    [
        ("/projects", {"name": ""}, 422, "input"),
        ("/projects", {"name": "x", "team": 10_000}, 403, "role"),
        ("/projects/{p}/runs", {"name": "x", "settings": {"batch": -1}}, 422, "config."),
        ("/projects/{p}/runs", {"name": "x", "settings": {"nonsense": 1}}, 422, "option.unknown"),
        ("/projects/{p}/runs", {"name": "x", "parent": 10_000}, 404, "not_found"),
        ("/projects/{p}/c/extract", {}, 404, "not_found"),
        ("/jobs/{j}/explode", {}, 404, "not_found"),
    ],
)
def test_what_is_wrong_is_said(
    run: Run, scripts: dict[str, Script], path: str, said: Any, status: int, code: str
) -> None:
    answer = scripts["owner"].post(path.format(p=run.project.pk, j=run.job_id), said)
    assert answer.status_code == status
    assert answer.json()["code"].startswith(code)
    assert answer.json()["text"]


def test_its_description_is_valid() -> None:
    from openapi_spec_validator import validate

    validate(Client().get("/api/openapi.json").json())

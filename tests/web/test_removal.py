"""Deleting conversions, runs and projects: who may, what goes, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from faceengine.jobs.models import Job
from tests.web.consents import consent_of
from tests.web.footage import client_of, files_of, people, project_of, user
from tests.web.pdfs import pdf
from tests.web.ways import converted, scored, still_of, trained
from webapp.accounts.models import User
from webapp.consent.evidence import keep
from webapp.consent.models import Consent, Evidence, Mandate
from webapp.curation.models import Crop
from webapp.projects.models import AuditEntry, Project
from webapp.studio import services
from webapp.studio.models import Conversion, Run, Snapshot
from webapp.uploads.models import Asset

EDITS = {"owner": 302, "editor": 302, "reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 302}


@pytest.fixture
def project(db: None) -> Project:
    return project_of(user("owner"))


@pytest.fixture
def run(project: Project) -> Run:
    made = trained(project)
    scored(converted(made))
    still_of(made)
    return made


@pytest.fixture
def visitors(project: Project) -> dict[str, User | None]:
    return people(project)


def posted(someone: User | None, address: str, callbacks: Any, **said: str) -> Any:
    with callbacks(execute=True):
        return client_of(someone).post(address, said)


def stored() -> set[str]:
    return files_of(settings.MEDIA_ROOT)


def test_who_may_delete(run: Run, visitors: dict[str, User | None]) -> None:
    conversion = run.conversions.get()
    for name, code in EDITS.items():
        if name not in ("owner", "editor"):
            for address in (f"/runs/{run.pk}/delete/", f"/conversions/{conversion.pk}/delete/"):
                assert client_of(visitors[name]).post(address).status_code == code, name
    said = {"name": run.project.name}
    expected = {"editor": 403, "reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 302}
    for name, code in expected.items():
        assert client_of(visitors[name]).post(f"/projects/{run.project.pk}/delete/", said).status_code == code, name
    assert Conversion.objects.count() == Run.objects.count() == Project.objects.filter(pk=run.project.pk).count() == 1


def test_a_conversion_goes_with_its_score(
    run: Run, visitors: dict[str, User | None], django_capture_on_commit_callbacks: Any
) -> None:
    conversion = run.conversions.get()
    folders = (conversion.job.folder, conversion.score.job.folder)
    assert any(name.startswith(folders) for name in stored())
    answer = posted(visitors["editor"], f"/conversions/{conversion.pk}/delete/", django_capture_on_commit_callbacks)
    assert answer["Location"] == f"/projects/{run.project.pk}/"
    assert not any(name.startswith(folders) for name in stored())
    assert not Conversion.objects.exists()
    assert Run.objects.exists()
    assert AuditEntry.objects.filter(verb="conversion.deleted").count() == 1


def test_a_run_goes_with_all_that_was_made_with_it(
    run: Run, visitors: dict[str, User | None], django_capture_on_commit_callbacks: Any
) -> None:
    job = run.job
    posted(visitors["owner"], f"/runs/{run.pk}/delete/", django_capture_on_commit_callbacks)
    assert not any(name.startswith(job.folder) for name in stored())
    assert not Snapshot.objects.exists()
    assert not Conversion.objects.exists()
    assert set(Job.objects.values_list("kind", flat=True)) == {"intake", "extract"}
    assert Crop.objects.exists()


def test_it_is_refused_while_something_is_at_work(
    run: Run, visitors: dict[str, User | None], django_capture_on_commit_callbacks: Any
) -> None:
    owner = visitors["owner"]
    assert owner is not None
    asset = Asset.objects.filter(person__project=run.project, person__side="a").first()
    assert asset is not None
    services.start_conversion(owner, run, asset, {})
    before = stored()
    for address in (f"/runs/{run.pk}/delete/", f"/projects/{run.project.pk}/delete/"):
        answer = posted(owner, address, django_capture_on_commit_callbacks, name=run.project.name)
        page = client_of(owner).get(answer["Location"])
        assert page.status_code == 200
    assert Run.objects.exists()
    assert stored() == before


def test_a_project_goes_whole_and_its_consents_stay_on_record(
    run: Run, visitors: dict[str, User | None], django_capture_on_commit_callbacks: Any
) -> None:
    project = run.project
    consent = Consent.objects.filter(person__project=project).latest("asked_at")
    keep(consent, SimpleUploadedFile("scan.pdf", pdf()), "upload")
    folders = (project.folder + "/", *(job.folder for job in Job.objects.all()))
    assert any(name.startswith(folders) for name in stored())
    address = f"/projects/{project.pk}/delete/"
    posted(visitors["owner"], address, django_capture_on_commit_callbacks, name="another name")
    assert Project.objects.filter(pk=project.pk).exists()
    answer = posted(visitors["owner"], address, django_capture_on_commit_callbacks, name=project.name)
    assert answer["Location"] == "/"
    assert not Project.objects.filter(pk=project.pk).exists()
    for model in (Job, Asset, Run, Crop, Mandate):
        assert not model.objects.exists(), model
    assert not any(name.startswith(folders) for name in stored())
    kept = Consent.objects.filter(project_number=project.pk)
    assert kept.count() == 2
    assert {(one.person, one.name) for one in kept} == {(None, "")}
    assert Evidence.objects.get().file == ""
    assert AuditEntry.objects.filter(verb="project.deleted").count() == 1


def test_taking_away_needs_no_consent(
    run: Run, visitors: dict[str, User | None], django_capture_on_commit_callbacks: Any
) -> None:
    Consent.objects.update(expires_at="2020-01-01T00:00:00Z")
    consent_of(run.project.people.get(side="a"), "expired")
    posted(visitors["owner"], f"/runs/{run.pk}/delete/", django_capture_on_commit_callbacks)
    assert not Run.objects.exists()

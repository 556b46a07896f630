"""The room of one person's footage and its files: what each kind of visitor gets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from tests.web.consents import mandate_of
from tests.web.footage import Tus, client_of, people, project_of
from webapp.accounts.models import User
from webapp.projects.models import AuditEntry, Person
from webapp.uploads.models import Asset, AssetState, Upload

pytestmark = pytest.mark.django_db

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def person(owner: User) -> Person:
    return project_of(owner).people.get(side="a")


@pytest.fixture
def url(person: Person) -> str:
    return f"/projects/{person.project_id}/a/footage/"


def ready(person: Person, name: str = "clip.mov") -> Asset:
    """An asset with files, as the intake leaves it."""
    mandate = mandate_of(person.project).pk
    job = transitions.submit("intake", {"file": "gone", "name": "asset"}, mandate=mandate)
    names = {"file": "asset.mp4", "poster": "poster.webp", "filmstrip": "filmstrip.webp"}
    for made in names.values():
        default_storage.save(f"{job.folder}/{made}", ContentFile(CONTENT))
    asset = Asset.objects.create(
        person=person, name=name, job=job, size=9, stored=3 * len(CONTENT), state=AssetState.READY, kind="video",
        width=640, height=480, frames=50, fps=25, duration=2, sha256=str(job.id),
        **{part: f"{job.folder}/{made}" for part, made in names.items()},
    )  # fmt: skip
    Job.objects.filter(pk=job.pk).update(state="done")
    return asset


def answers(someone: dict[str, User | None], method: str, url: str) -> dict[str, int]:
    return {name: getattr(client_of(one), method)(url).status_code for name, one in someone.items()}


# ---- the page --------------------------------------------------------------------------------------------------------


def test_who_sees_the_room(person: Person, url: str) -> None:
    everybody = people(person.project)
    seen = {"owner": 200, "editor": 200, "reviewer": 200, "viewer": 200, "stranger": 404, "anonymous": 302}
    assert answers(everybody, "get", url) == seen
    assert client_of(everybody["owner"]).get(url.replace("/a/", "/c/")).status_code == 404
    assert client_of(everybody["owner"]).get("/projects/999/a/footage/").status_code == 404


def test_only_who_may_upload_is_offered_it(person: Person, url: str) -> None:
    ready(person)
    for name, someone in people(person.project).items():
        if name in ("stranger", "anonymous"):
            continue
        page = client_of(someone).get(url).content.decode()
        assert ("<upload-room" in page) == ("Delete file" in page) == (name in ("owner", "editor")), name


def test_the_room_tells_what_is_there(owner: User, person: Person, url: str) -> None:
    ready(person, "<script>alert(1)</script>.mp4")
    Asset.objects.create(person=person, name="bad.mp4", size=5, stored=0, state=AssetState.REFUSED, code="video.gap")
    Asset.objects.create(person=person, name="odd.mp4", size=5, stored=0, state=AssetState.REFUSED, code="new.code")
    Tus(owner, person).create(10, "half.mp4")
    page = client_of(owner).get(url).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "time stamps have large gaps" in page
    assert "could not be imported" in page
    assert "half.mp4" in page
    assert "half.mp4" not in client_of(people(person.project)["editor"]).get(url).content.decode()
    Upload.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    assert "half.mp4" not in client_of(owner).get(url).content.decode()


def test_the_room_asks_the_database_no_more_for_many(owner: User, person: Person, url: str) -> None:
    client = client_of(owner)
    for number in range(3):
        ready(person, f"{number}.mp4")
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for number in range(30):
        ready(person, f"{number}.mp4")
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few) <= 13


# ---- the plain form --------------------------------------------------------------------------------------------------


def test_a_plain_form_does_the_same_checks(owner: User, person: Person, url: str, settings: Any) -> None:
    settings.UPLOADS_TEAM_MB = 1
    files = [
        SimpleUploadedFile("../clip.mp4", b"abc"),
        SimpleUploadedFile("empty.mp4", b""),
        SimpleUploadedFile("large.mp4", bytes(2 << 20)),
    ]
    answer = client_of(owner).post(f"{url}send/", {"files": files}, follow=True)
    assert [(asset.name, asset.size) for asset in Asset.objects.all()] == [("clip.mp4", 3)]
    page = answer.content.decode()
    assert "The file is empty." in page
    assert "storage is full" in page


def test_who_may_send_a_form(person: Person, url: str) -> None:
    expected = {"owner": 302, "editor": 302, "reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 302}
    assert answers(people(person.project), "post", f"{url}send/") == expected
    assert not Asset.objects.exists()


# ---- changes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["delete", "retry"])
def test_who_may_change_an_asset(person: Person, change: str) -> None:
    asset = ready(person)
    everybody = people(person.project)
    expected = {"reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 302}
    url = f"/assets/{asset.pk}/{change}/"
    assert answers({name: everybody[name] for name in expected}, "post", url) == expected
    assert Asset.objects.filter(pk=asset.pk).exists()
    assert client_of(everybody["editor"]).get(url).status_code == 405
    assert client_of(everybody["editor"]).post(url).status_code == 302


def test_deleting_leaves_a_trail_and_no_files(
    owner: User, person: Person, django_capture_on_commit_callbacks: Any
) -> None:
    asset = ready(person)
    name = asset.file
    with django_capture_on_commit_callbacks(execute=True):
        client_of(owner).post(f"/assets/{asset.pk}/delete/")
    assert not Asset.objects.exists()
    assert not default_storage.exists(name)
    assert AuditEntry.objects.get(verb="asset.deleted").data["name"] == "clip.mov"


def test_who_may_give_up_an_upload(owner: User, person: Person) -> None:
    Tus(owner, person).create(10)
    url = f"/uploads/{Upload.objects.get().pk}/give-up/"
    everybody = people(person.project)
    expected = {"editor": 404, "reviewer": 404, "viewer": 404, "stranger": 404, "anonymous": 302}
    assert answers({name: everybody[name] for name in expected}, "post", url) == expected
    assert Upload.objects.exists()
    assert client_of(owner).post(url).status_code == 302
    assert not Upload.objects.exists()


# ---- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["file", "poster", "filmstrip"])
def test_who_gets_the_files(person: Person, part: str) -> None:
    url = f"/assets/{ready(person).pk}/{part}/"
    expected = {"owner": 200, "editor": 200, "reviewer": 200, "viewer": 200, "stranger": 404, "anonymous": 302}
    assert answers(people(person.project), "get", url) == expected


def test_files_come_in_ranges_and_are_nobody_elses(owner: User, person: Person) -> None:
    asset = ready(person, "Ferien 视频.mov")
    client = client_of(owner)
    part = client.get(f"/assets/{asset.pk}/file/", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 10-19/{len(CONTENT)}")
    assert part["Cache-Control"] == "private, no-store"
    assert part["X-Content-Type-Options"] == "nosniff"
    assert part["Content-Type"] == "video/mp4"
    saved = client.get(f"/assets/{asset.pk}/file/?download")
    assert saved["Content-Disposition"].startswith("attachment;")
    assert "%E8%A7%86%E9%A2%91.mp4" in saved["Content-Disposition"]
    assert client.get(f"/assets/{asset.pk}/arrival/").status_code == 404


@pytest.mark.parametrize("state", [AssetState.CHECKING, AssetState.REFUSED])
def test_nothing_is_given_out_that_is_not_ready(owner: User, person: Person, state: str) -> None:
    asset = ready(person)
    Asset.objects.update(state=state)
    assert client_of(owner).get(f"/assets/{asset.pk}/file/").status_code == 404

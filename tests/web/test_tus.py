"""The tus server: every answer it gives, what it keeps, and who is turned away."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from faceengine.jobs.models import Job
from tests.web.footage import Tus, arriving, checksum, people, project_of, stored
from webapp.accounts.models import Membership, Role, User
from webapp.projects.models import AuditEntry, Person
from webapp.uploads import arrivals, services
from webapp.uploads.arrivals import UploadError
from webapp.uploads.models import Asset, Upload
from webapp.uploads.quotas import quota

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(owner: User) -> Person:
    return project_of(owner).people.get(side="a")


@pytest.fixture
def tus(owner: User, person: Person) -> Tus:
    return Tus(owner, person)


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.headers.get("Upload-Error", "")


# ---- the way through -------------------------------------------------------------------------------------------------


def test_says_what_it_can(tus: Tus) -> None:
    answer = tus.client.options(tus.create_url)
    assert answer.status_code == 204
    assert answer["Tus-Version"] == answer["Tus-Resumable"] == "1.0.0"
    assert set(answer["Tus-Extension"].split(",")) >= {"creation", "checksum", "termination", "expiration"}
    assert int(answer["Tus-Max-Size"]) == 8192 << 20


def test_a_file_in_parts_becomes_an_asset_and_a_job(tus: Tus, person: Person) -> None:
    created = tus.create(10, "Ünïcode 视频.mp4")
    assert created.status_code == 201
    assert created["Upload-Expires"].endswith("GMT")
    url = created["Location"]
    assert tus.patch(url, 0, b"01234")["Upload-Offset"] == "5"
    asked = tus.head(url)
    assert (asked["Upload-Offset"], asked["Upload-Length"], asked["Cache-Control"]) == ("5", "10", "no-store")
    assert tus.patch(url, 5, b"56789").status_code == 204
    asset = Asset.objects.get()
    assert (asset.name, asset.size, asset.state) == ("Ünïcode 视频.mp4", 10, "checking")
    assert stored() == {asset.arrival}
    assert asset.arrival.startswith(f"{person.folder}/arrivals/")
    assert asset.job is not None
    assert (asset.job.kind, asset.job.config["file"]) == ("intake", asset.arrival)
    assert arriving() == set()
    assert tus.head(url)["Upload-Offset"] == "10"
    assert AuditEntry.objects.filter(verb="asset.uploaded").exists()


def test_a_large_file_cut_ten_times_arrives_whole(tus: Tus, person: Person) -> None:
    """Cut within a part, the server has none of it; after a part, all; the client asks each time."""
    part, parts = 3 << 20, 22
    content = b"".join(bytes([number]) * part for number in range(parts))[: 64 << 20]
    url = tus.create(len(content))["Location"]
    cuts, offset = 0, 0
    while offset < len(content):
        tus.patch(
            url,
            offset,
            content[offset : offset + part],
            **{"Upload-Checksum": checksum(content[offset : offset + part])},
        )
        if offset // part % 2 == 0 and cuts < 10:  # the answer got lost: the client believes that nothing arrived
            cuts += 1
            assert code(tus.patch(url, offset, content[offset : offset + part])) == (409, "upload.offset")
        offset = int(tus.head(url)["Upload-Offset"])
    assert cuts == 10
    assert (Path(services.default_storage.path(Asset.objects.get().arrival))).read_bytes() == content


def test_the_first_part_may_come_with_the_creation(tus: Tus) -> None:
    created = tus.create(10, body=b"01234")
    assert (created.status_code, created["Upload-Offset"]) == (201, "5")


def test_what_a_dead_process_left_behind_the_offset_is_overwritten(tus: Tus) -> None:
    url = tus.create(6)["Location"]
    tus.patch(url, 0, b"abc")
    upload = Upload.objects.get()
    with arrivals.held(upload.pk) as file:
        file.write(b"half of a part")
    tus.patch(url, 3, b"def")
    assert Path(services.default_storage.path(Asset.objects.get().arrival)).read_bytes() == b"abcdef"


@pytest.mark.parametrize("sent", [3, 6])
def test_what_a_power_failure_took_is_asked_for_again(tus: Tus, monkeypatch: pytest.MonkeyPatch, sent: int) -> None:
    url = tus.create(6)["Location"]
    with monkeypatch.context() as broken:
        broken.setattr(services, "_complete", lambda *_: None)
        tus.patch(url, 0, b"abcdef"[:sent])
    os.truncate(next(Path(services.settings.UPLOADS_DIR).rglob("data")), 2)
    assert code(tus.patch(url, sent, b"def")) == (409, "upload.offset")
    assert tus.head(url)["Upload-Offset"] == "2"
    tus.patch(url, 2, b"cdef")
    assert Path(services.default_storage.path(Asset.objects.get().arrival)).read_bytes() == b"abcdef"


@pytest.mark.parametrize("stage", ["before it was moved", "while it was copied", "after it was moved"])
def test_a_process_that_dies_before_the_asset_is_made_up_for(
    tus: Tus, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    url = tus.create(6)["Location"]
    with monkeypatch.context() as broken:
        broken.setattr(services, "_complete", lambda *_: None)
        tus.patch(url, 0, b"abcdef")
    upload = Upload.objects.get()
    path = Path(services.default_storage.path(f"{upload.person.folder}/arrivals/{upload.pk}/file"))
    data = next(Path(services.settings.UPLOADS_DIR).rglob("data"))
    if stage != "before it was moved":
        path.parent.mkdir(parents=True)
        path.write_bytes(data.read_bytes()[: 3 if stage == "while it was copied" else 6])
    if stage == "after it was moved":
        data.unlink()
    assert tus.head(url)["Upload-Offset"] == "6"
    assert path.read_bytes() == b"abcdef"
    tus.head(url)
    assert Asset.objects.count() == Job.objects.count() == 1
    assert arriving() == set()


# ---- refusals --------------------------------------------------------------------------------------------------------


def test_no_part_counts_that_does_not_fit(tus: Tus) -> None:
    url = tus.create(6)["Location"]
    tus.patch(url, 0, b"abc")
    bad = "sha256 " + checksum(b"xyz").split()[1]
    assert code(tus.patch(url, 0, b"abc")) == (409, "upload.offset")
    assert code(tus.patch(url, 3, b"def", **{"Upload-Checksum": bad})) == (460, "upload.checksum")
    assert code(tus.patch(url, 3, b"def", **{"Upload-Checksum": "md5 AAAA"})) == (400, "upload.checksum")
    assert code(tus.patch(url, 3, b"def", **{"Upload-Checksum": "sha1 !"})) == (400, "upload.checksum")
    assert code(tus.patch(url, 3, b"defg")) == (413, "upload.excess")
    assert code(tus.patch(url, 3, b"def", kind="text/plain")) == (415, "upload.type")
    assert code(tus.patch(url, 3, b"def", **{"Upload-Offset": "-3"})) == (400, "upload.offset")
    assert code(tus.patch(url, 3, b"def", **{"Tus-Resumable": "0.2.2"})) == (412, "upload.version")
    assert tus.head(url)["Upload-Offset"] == "3"
    assert tus.patch(url, 3, b"def", **{"Upload-Checksum": checksum(b"def", "sha1")}).status_code == 204
    assert Path(services.default_storage.path(Asset.objects.get().arrival)).read_bytes() == b"abcdef"


@pytest.mark.parametrize(
    ("size", "headers", "answer"),
    [
        ("", {}, (400, "upload.length")),
        ("many", {}, (400, "upload.length")),
        ("-1", {}, (400, "upload.length")),
        ("9" * 30, {}, (400, "upload.length")),
        ("0", {}, (400, "upload.empty")),
        (str((8192 << 20) + 1), {}, (413, "upload.too_large")),
        ("5", {"Upload-Metadata": "filename !!!"}, (400, "upload.metadata")),
        ("5", {"Upload-Metadata": "filename /w=="}, (400, "upload.metadata")),
    ],
)
def test_no_upload_begins_that_can_come_to_nothing(
    tus: Tus, size: str, headers: dict[str, str], answer: tuple[int, str]
) -> None:
    assert code(tus.create(size, **headers)) == answer
    assert not Upload.objects.exists()
    assert arriving() == set()


def test_two_parts_at_once_are_one_too_many(tus: Tus) -> None:
    url = tus.create(6)["Location"]
    with arrivals.held(Upload.objects.get().pk):
        assert code(tus.patch(url, 0, b"abc")) == (423, "upload.busy")
    assert tus.patch(url, 0, b"abc").status_code == 204


def test_a_full_disk_is_told(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    url = tus.create(6)["Location"]

    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(arrivals.os, "posix_fadvise", full)
    assert code(tus.patch(url, 0, b"abc")) == (507, "upload.disk_full")
    assert tus.head(url)["Upload-Offset"] == "0"


def test_given_up_it_is_gone(tus: Tus) -> None:
    url = tus.create(6)["Location"]
    tus.patch(url, 0, b"abc")
    assert tus.terminate(url).status_code == 204
    assert tus.head(url).status_code == 404
    assert list(Path(services.settings.UPLOADS_DIR).iterdir()) == []


def test_broken_off_too_long_ago_it_is_gone_and_its_space_is_free(tus: Tus, person: Person) -> None:
    url = tus.create(6)["Location"]
    tus.patch(url, 0, b"abc")
    assert quota(person.project.team_id).used == 3  # what has arrived
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert code(tus.head(url)) == (410, "upload.expired")
    assert code(tus.patch(url, 3, b"def")) == (410, "upload.expired")
    assert quota(person.project.team_id).used == 0
    assert services.remove_expired() == 1
    assert list(Path(services.settings.UPLOADS_DIR).iterdir()) == []
    assert code(tus.head(url)) == (410, "upload.expired")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\clip.mp4", "clip.mp4"),
        ("concat:a|b.mp4", "concat:a|b.mp4"),
        ("-vf", "-vf"),
        ("%d.png", "%d.png"),
        ("a\0b.mp4", "ab.mp4"),
        ("a\r\nSet-Cookie: x=1.mp4", "a Set-Cookie: x=1.mp4"),
        ("gp\u202ej.exe", "gpj.exe"),
        ("x" * 400 + ".mp4", "x" * 196 + ".mp4"),
        ("🎬 电影.mp4", "🎬 电影.mp4"),
        ("", "file"),
        ("..", ".."),
        ("/", "file"),
    ],
)
def test_names_are_texts(tus: Tus, sent: str, shown: str) -> None:
    tus.upload(b"abc", sent)
    asset = Asset.objects.get()
    assert asset.name == shown
    assert asset.arrival.split("/")[-1] == "file"
    page = tus.client.get(f"/projects/{asset.person.project_id}/a/footage/")
    assert page.status_code == 200


# ---- space -----------------------------------------------------------------------------------------------------------


def test_a_team_has_so_much_space(tus: Tus, settings: Any, person: Person) -> None:
    settings.UPLOADS_TEAM_MB = 1
    first = tus.create(600_000)["Location"]
    second = tus.create(600_000)["Location"]  # nothing is set aside for what has not arrived
    assert tus.patch(first, 0, b"x" * 599_999).status_code == 204
    assert code(tus.create(600_000)) == (413, "upload.quota")
    assert code(tus.patch(second, 0, b"x" * 500_000)) == (413, "upload.quota")
    assert tus.head(second)["Upload-Offset"] == "0"
    assert tus.create(400_000).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_several_that_begin_at_once_only_so_many_begin(settings: Any, owner: User, person: Person) -> None:
    settings.UPLOADS_MEMBER_OPEN = 1
    start, outcomes = threading.Barrier(4), []

    def begin() -> None:
        start.wait()
        try:
            services.begin(owner, person, "clip.mp4", 600_000)
            outcomes.append("begun")
        except UploadError as error:
            outcomes.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["begun", "upload.many", "upload.many", "upload.many"]


# ---- who -------------------------------------------------------------------------------------------------------------

MAY_CREATE = {"owner": 201, "editor": 201, "reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 401}


def test_who_may_begin(person: Person) -> None:
    for name, someone in people(person.project).items():
        assert Tus(someone, person).create(5).status_code == MAY_CREATE[name], name


def test_an_upload_is_its_own_persons_only(tus: Tus, person: Person) -> None:
    url = tus.create(6)["Location"]
    for name, someone in people(person.project).items():
        if name != "owner":
            other = Tus(someone, person)
            expected = 401 if name == "anonymous" else 404
            for answer in (other.head(url), other.patch(url, 0, b"abc"), other.terminate(url)):
                assert answer.status_code == expected, name
    assert tus.head(url)["Upload-Offset"] == "0"


def test_whoever_loses_the_role_can_not_go_on(person: Person) -> None:
    editor = people(person.project)["editor"]
    tus = Tus(editor, person)
    url = tus.create(6)["Location"]
    Membership.objects.filter(user=editor).update(role=Role.VIEWER)
    assert tus.patch(url, 0, b"abc").status_code == 403


def test_a_page_of_another_site_can_not_send_anything(owner: User, person: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    answer = client.post(Tus(owner, person).create_url, headers={"Tus-Resumable": "1.0.0", "Upload-Length": "5"})
    assert answer.status_code == 403
    assert not Upload.objects.exists()

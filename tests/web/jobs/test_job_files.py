"""A job's files: who gets them, in which parts, and what never is handed out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.test import AsyncClient, Client

from faceengine.jobs.models import Job
from tests.web.jobs.answers import body, statuses

CONTENT = bytes(range(256)) * 4


@pytest.fixture
def address(running: Job, folder: Path) -> str:
    (folder / "result.mp4").write_bytes(CONTENT)
    return f"/jobs/{running.pk}/files/result.mp4"


def test_who_may_have_it(people: dict[str, Client], address: str) -> None:
    expected = {"owner": 200, "watcher": 200, "staff": 200, "stranger": 404, "anonymous": 302}
    assert statuses(people, lambda browser: browser.get(address)) == expected


def test_the_whole_file(people: dict[str, Client], address: str) -> None:
    answer = people["owner"].get(address)
    assert body(answer) == CONTENT
    assert answer["Content-Type"] == "video/mp4"
    assert answer["Content-Length"] == str(len(CONTENT))
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=1000-", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=-5000", 0, 1023),
        ("bytes=0-99999", 0, 1023),
        ("bytes=1023-1023", 1023, 1023),
    ],
)
def test_a_part(people: dict[str, Client], address: str, asked: str, first: int, last: int) -> None:
    answer = people["owner"].get(address, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {first}-{last}/1024"
    assert answer["Content-Length"] == str(last + 1 - first)
    assert body(answer) == CONTENT[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_part_that_is_not_there(people: dict[str, Client], address: str, asked: str) -> None:
    answer = people["owner"].get(address, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer["Content-Range"] == "bytes */1024"


@pytest.mark.parametrize(
    "asked", ["bytes=9-2", "bytes=-", "bytes=x-1", "chars=0-9", "bytes=0-1,5-9", f"bytes={'9' * 5000}-", "bytes=١-٢"]
)
def test_what_can_t_be_understood_is_answered_with_all(people: dict[str, Client], address: str, asked: str) -> None:
    answer = people["owner"].get(address, headers={"Range": asked})
    assert (answer.status_code, body(answer)) == (200, CONTENT)


def test_what_the_browser_has_is_not_sent_again(people: dict[str, Client], address: str, folder: Path) -> None:
    tag = people["owner"].get(address)["ETag"]
    assert people["owner"].get(address, headers={"If-None-Match": tag}).status_code == 304
    os.utime(folder / "result.mp4", (1, 1))
    assert people["owner"].get(address, headers={"If-None-Match": tag}).status_code == 200


def test_a_part_of_a_file_that_has_changed_is_the_whole_file(people: dict[str, Client], address: str) -> None:
    first = people["owner"].get(address)
    for known, status in [(first["ETag"], 206), (first["Last-Modified"], 206), ('"other"', 200), ("yesterday", 200)]:
        answer = people["owner"].get(address, headers={"Range": "bytes=0-9", "If-Range": known})
        assert answer.status_code == status


def test_asking_only_for_the_head(people: dict[str, Client], address: str) -> None:
    answer = people["owner"].head(address)
    assert (answer.status_code, answer["Content-Length"], body(answer)) == (200, "1024", b"")


@pytest.mark.parametrize(
    "name", ["../../secret", "%2e%2e/%2e%2e/secret", ".hidden", "logs/../../../secret", "none", "a/.b"]
)
def test_nothing_else_is_handed_out(people: dict[str, Client], running: Job, folder: Path, name: str) -> None:
    (folder.parent.parent / "secret").write_text("secret")
    (folder / ".hidden").write_text("hidden")
    assert people["owner"].get(f"/jobs/{running.pk}/files/{name}").status_code == 404


def test_a_link_that_leads_out_is_not_followed(people: dict[str, Client], running: Job, folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")
    assert people["owner"].get(f"/jobs/{running.pk}/files/link").status_code == 404


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "script.js", "unknown"])
def test_what_could_run_in_a_browser_is_only_downloaded(
    people: dict[str, Client], running: Job, folder: Path, name: str
) -> None:
    (folder / name).write_text("<script>alert(1)</script>")
    answer = people["owner"].get(f"/jobs/{running.pk}/files/{name}")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db(transaction=True)
async def test_a_large_file_is_never_in_memory(people: dict[str, Client], running: Job, folder: Path) -> None:
    with (folder / "large.bin").open("wb") as file:
        file.truncate(1 << 30)
    browser = AsyncClient()
    browser.cookies = people["owner"].cookies
    answer = await browser.get(f"/jobs/{running.pk}/files/large.bin")
    sizes = [len(part) async for part in answer.streaming_content]
    assert sum(sizes) == 1 << 30
    assert max(sizes) <= 1 << 18

"""The log of an attempt: its end as a page, all of it as a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from faceengine.jobs.models import Job
from tests.web.jobs.answers import body, statuses


@pytest.fixture
def address(running: Job, folder: Path) -> str:
    (folder / "logs").mkdir()
    (folder / "logs" / "1.log").write_bytes(b"the begin\n" + b"<b>line</b>\n" * 10_000 + b"caf\xe9 the end\n")
    return f"/jobs/{running.pk}/logs/1/"


@pytest.mark.parametrize("rest", ["", "whole/"])
def test_who_may_read_it(people: dict[str, Client], address: str, rest: str) -> None:
    expected = {"owner": 200, "watcher": 200, "staff": 200, "stranger": 404, "anonymous": 302}
    assert statuses(people, lambda browser: browser.get(address + rest)) == expected


def test_the_page_shows_the_end_as_text(people: dict[str, Client], address: str) -> None:
    page = people["owner"].get(address).content.decode()
    assert "the end" in page
    assert "the begin" not in page
    assert "Only the end of the log is shown" in page
    assert "&lt;b&gt;line" in page


def test_the_file_is_all_of_it(people: dict[str, Client], address: str) -> None:
    answer = people["owner"].get(address + "whole/")
    assert body(answer).startswith(b"the begin")
    assert answer["Content-Disposition"].startswith("attachment")


def test_an_attempt_that_wrote_nothing(people: dict[str, Client], running: Job) -> None:
    assert "The log is empty" in people["owner"].get(f"/jobs/{running.pk}/logs/1/").content.decode()


def test_an_attempt_that_never_was(people: dict[str, Client], running: Job) -> None:
    assert people["owner"].get(f"/jobs/{running.pk}/logs/7/").status_code == 404

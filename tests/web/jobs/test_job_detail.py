"""The page of one job."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.test import Client

from faceengine.events import Message, Preview, Progress
from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from tests.web.jobs.answers import statuses


def test_who_may_see_it(people: dict[str, Client], running: Job) -> None:
    expected = {"owner": 200, "watcher": 200, "staff": 200, "stranger": 404, "anonymous": 302}
    assert statuses(people, lambda browser: browser.get(f"/jobs/{running.pk}/")) == expected


def test_a_made_up_job_is_not_there(people: dict[str, Client]) -> None:
    assert people["staff"].get(f"/jobs/{uuid.uuid4()}/").status_code == 404


def test_it_shows_all_without_scripts(people: dict[str, Client], running: Job, folder: Path) -> None:
    (folder / "run.json").write_text("{}")
    transitions.record(
        running.pk,
        1,
        [
            Progress("train", 120, 400, "iterations", 4.0),
            Preview(100, "previews/000100.png"),
            Message("warning", "train.few", "Only <40> crops"),
        ],
    )
    page = people["owner"].get(f"/jobs/{running.pk}/").content.decode()
    for text in ("120 / 400", "1 min 10 s left", "Only &lt;40&gt; crops", "previews/000100.png", "run.json", "faces/a"):
        assert text in page
    assert f"/jobs/{running.pk}/logs/1/" in page


def test_a_job_whose_kind_is_gone_still_has_a_page_for_staff(people: dict[str, Client], running: Job) -> None:
    Job.objects.filter(pk=running.pk).update(kind="gone", config={"old": 1})
    assert people["owner"].get(f"/jobs/{running.pk}/").status_code == 404
    assert "old" in people["staff"].get(f"/jobs/{running.pk}/").content.decode()


def test_a_watcher_gets_no_buttons(people: dict[str, Client], running: Job) -> None:
    assert "/pause/" in people["owner"].get(f"/jobs/{running.pk}/").content.decode()
    assert "/pause/" not in people["watcher"].get(f"/jobs/{running.pk}/").content.decode()

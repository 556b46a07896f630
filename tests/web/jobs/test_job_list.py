"""The list of jobs: what runs, what waits and for what, what has ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from faceengine.jobs import transitions
from faceengine.jobs.models import Job, Slot
from tests.web.jobs.answers import statuses


@pytest.mark.parametrize("address", ["/jobs/", "/jobs/ended/done/", "/jobs/queued/gpu/"])
def test_whoever_has_an_account_sees_a_list(people: dict[str, Client], address: str) -> None:
    signed_in = dict.fromkeys(["owner", "watcher", "staff", "stranger"], 200)
    assert statuses(people, lambda browser: browser.get(address)) == signed_in | {"anonymous": 302}


@pytest.mark.parametrize("address", ["/jobs/ended/running/", "/jobs/ended/x/", "/jobs/queued/tpu/"])
def test_other_lists_are_not_there(people: dict[str, Client], address: str) -> None:
    assert people["owner"].get(address).status_code == 404


def test_one_sees_one_s_own_and_staff_sees_all(people: dict[str, Client], submit: Callable[..., Job]) -> None:
    submit(title="A secret title")
    seen = {name: "A secret title" in browser.get("/jobs/").content.decode() for name, browser in people.items()}
    assert seen == {"owner": True, "watcher": False, "staff": True, "stranger": False, "anonymous": False}


def test_a_slot_at_work_for_somebody_else_says_only_that(people: dict[str, Client], running: Job) -> None:
    page = people["stranger"].get("/jobs/").content.decode()
    assert "job of another team" in page
    assert running.title not in page
    assert f"/jobs/{running.pk}/" in people["owner"].get("/jobs/").content.decode()


def test_what_waits_says_for_what(people: dict[str, Client], submit: Callable[..., Job]) -> None:
    submit()
    assert "Waiting for a gpu slot: no worker with one is running" in people["owner"].get("/jobs/").content.decode()
    Slot.objects.create(host="here", name="gpu0", kind="gpu", pid=1, version="1")
    submit()
    page = people["owner"].get("/jobs/").content.decode()
    assert "About to start" in page
    assert "Jobs ahead in the queue: 1" in page


def test_pages_of_a_queue_follow_its_order_without_a_gap(people: dict[str, Client], submit: Callable[..., Job]) -> None:
    jobs = [submit(priority=number % 3) for number in range(120)]
    expected = [str(job.pk) for job in sorted(jobs, key=lambda job: (-job.priority, job.rank))]
    assert follow(people["owner"], "/jobs/queued/gpu/") == expected


def test_pages_of_what_ended_begin_with_the_newest(people: dict[str, Client], submit: Callable[..., Job]) -> None:
    jobs = [submit() for _ in range(60)]
    for job in jobs:
        assert transitions.cancel(job)
    listed = follow(people["owner"], "/jobs/ended/cancelled/")
    assert sorted(listed) == sorted(str(job.pk) for job in jobs)
    created = dict(Job.objects.values_list("pk", "created_at"))
    times = [created[job.pk] for job in sorted(jobs, key=lambda job: listed.index(str(job.pk)))]
    assert times == sorted(times, reverse=True)


def follow(browser: Client, address: str) -> list[str]:
    """The ids of all pages' jobs."""
    listed, query = [], ""
    while True:
        context = browser.get(f"{address}?{query}").context
        listed += [str(row.job.pk) for row in context["rows"]]
        if not (query := context["next"]):
            return listed


@pytest.mark.parametrize("key", ["x", "~", "2~x~y", "a~b~c~d", "9" * 5000, "2026-01-01~x"])
def test_a_key_that_can_t_be_read_is_the_first_page(
    people: dict[str, Client], submit: Callable[..., Job], key: str
) -> None:
    submit()
    for address in ("/jobs/queued/gpu/", "/jobs/ended/done/"):
        assert people["owner"].get(address, {"after": key}).status_code == 200
    assert len(people["owner"].get("/jobs/queued/gpu/", {"after": key}).context["rows"]) == 1


def test_a_title_is_text(people: dict[str, Client], submit: Callable[..., Job]) -> None:
    submit(title="<script>alert(1)</script>")
    assert "<script>alert" not in people["owner"].get("/jobs/").content.decode()

"""Pausing, resuming, cancelling, retrying and moving, by people."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from faceengine.jobs.states import State
from faceengine.jobs.views import CHANGES
from tests.web.jobs.answers import statuses


@pytest.mark.parametrize("change", CHANGES)
def test_who_may_do_it(people: dict[str, Client], submit: Callable[..., Job], change: str) -> None:
    job = submit()
    expected = {"owner": 302, "watcher": 403, "staff": 302, "stranger": 404, "anonymous": 302}
    assert statuses(people, lambda browser: browser.post(f"/jobs/{job.pk}/{change}/")) == expected


def test_who_is_not_signed_in_changes_nothing(people: dict[str, Client], submit: Callable[..., Job]) -> None:
    job = submit()
    for name in ("anonymous", "stranger", "watcher"):
        people[name].post(f"/jobs/{job.pk}/cancel/")
    job.refresh_from_db()
    assert job.state == State.QUEUED


def test_looking_changes_nothing(people: dict[str, Client], submit: Callable[..., Job]) -> None:
    assert people["owner"].get(f"/jobs/{submit().pk}/cancel/").status_code == 405


def test_another_change_is_not_there(people: dict[str, Client], submit: Callable[..., Job]) -> None:
    assert people["owner"].post(f"/jobs/{submit().pk}/explode/").status_code == 404


def test_a_form_of_another_site_is_refused(owner: object, submit: Callable[..., Job]) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)  # type: ignore[arg-type]
    assert browser.post(f"/jobs/{submit().pk}/cancel/").status_code == 403


def test_the_way_of_a_job(people: dict[str, Client], submit: Callable[..., Job]) -> None:
    job = submit()
    for change, state in [("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled"), ("retry", "queued")]:
        people["owner"].post(f"/jobs/{job.pk}/{change}/")
        job.refresh_from_db()
        assert job.state == state


def test_what_comes_too_late_says_so(people: dict[str, Client], running: Job) -> None:
    transitions.finish(running.pk, running.attempt, {}, 0)
    page = people["owner"].post(f"/jobs/{running.pk}/cancel/", follow=True).content.decode()
    assert "so this is no longer possible" in page


def test_moving(people: dict[str, Client], submit: Callable[..., Job]) -> None:
    first, second, third = (submit(title=title) for title in ("first", "second", "third"))

    def order() -> list[str]:
        return list(transitions.queue_of("gpu").values_list("title", flat=True))

    for job, change, expected in [
        (third, "up", ["first", "third", "second"]),
        (second, "front", ["second", "first", "third"]),
        (second, "up", ["second", "first", "third"]),
    ]:
        people["owner"].post(f"/jobs/{job.pk}/{change}/")
        assert order() == expected
    for change in ("raise", "lower"):
        assert people["owner"].post(f"/jobs/{third.pk}/{change}/").status_code == 403
    for job, change, expected in [
        (third, "raise", ["third", "second", "first"]),
        (third, "lower", ["second", "first", "third"]),
        (first, "lower", ["second", "third", "first"]),
        (first, "raise", ["second", "first", "third"]),
        (third, "front", ["third", "second", "first"]),
        (first, "up", ["third", "first", "second"]),
    ]:
        people["staff"].post(f"/jobs/{job.pk}/{change}/")
        assert order() == expected


@pytest.mark.parametrize(("wanted", "led"), [("/jobs/", "/jobs/"), ("https://elsewhere.example/", None), ("", None)])
def test_one_is_led_back_but_never_away(
    people: dict[str, Client], submit: Callable[..., Job], wanted: str, led: str | None
) -> None:
    job = submit()
    answer = people["owner"].post(f"/jobs/{job.pk}/pause/", {"next": wanted})
    assert answer.headers["Location"] == (led or f"/jobs/{job.pk}/")

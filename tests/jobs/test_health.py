"""``/health`` and ``/metrics``: what they say, and to whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from faceengine.jobs import transitions
from faceengine.jobs.models import Job, Slot
from tests.jobs import counting
from webapp.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kind() -> None:
    counting.register()


def slot(kind: str) -> Slot:
    return Slot.objects.create(host="here", name=f"{kind}0", kind=kind, pid=1, version="0", seen_at=Now())


def test_an_idle_studio_is_well(client: Client) -> None:
    slot("cpu")
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {"database": True, "storage": True},
        "slots": {"cpu": 1},
        "queued": {},
        "oldest_queued_seconds": {},
    }


def test_work_without_a_slot_is_told(client: Client) -> None:
    slot("gpu")
    transitions.submit("count", {})
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["queued"] == {"cpu": 1}


def test_a_slot_that_fell_silent_does_not_count(client: Client, settings: Any) -> None:
    slot("cpu")
    settings.JOBS_LEASE_SECONDS = -1
    assert client.get("/health").json()["slots"] == {}


def test_without_its_database_the_studio_fails(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("password=secret is wrong")

    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failing", "checks": {"database": False, "storage": True}}


def test_without_its_storage_the_studio_fails(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OSError("no such bucket")

    monkeypatch.setattr(default_storage, "exists", away)
    assert client.get("/health").json()["checks"] == {"database": True, "storage": False}


def test_metrics_count_the_ledger(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "token"
    slot("cpu")
    for _ in range(2):
        transitions.submit("count", {})
    assert transitions.cancel(Job.objects.earliest("created_at"))
    answer = client.get("/metrics", headers={"Authorization": "Bearer token"})
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }
    assert samples.pop(("faceengine_queue_oldest_seconds", "cpu")) >= 0
    assert samples == {
        ("faceengine_jobs", "count", "queued"): 1,
        ("faceengine_jobs", "count", "cancelled"): 1,
        ("faceengine_job_events_total", "count"): 3,
        ("faceengine_slots", "cpu"): 1,
    }


@pytest.mark.parametrize("sent", ["", "Bearer ", "Bearer wrong", "token"])
@pytest.mark.parametrize("token", ["", "token"])
def test_strangers_see_no_metrics(client: Client, settings: Any, token: str, sent: str) -> None:
    settings.METRICS_TOKEN = token
    assert client.get("/metrics", headers={"Authorization": sent}).status_code == 403


@pytest.mark.parametrize(("staff", "status"), [(True, 200), (False, 403)])
def test_metrics_are_for_staff(client: Client, staff: bool, status: int) -> None:
    client.force_login(User.objects.create_user("somebody@example.org", is_staff=staff))
    assert client.get("/metrics").status_code == status


def test_neither_can_be_posted_to(client: Client) -> None:
    assert [client.post(path).status_code for path in ("/health", "/metrics")] == [405, 405]


def test_the_check_of_the_storage_writes_nothing(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"
    assert client.get("/health").status_code == 200
    assert not settings.MEDIA_ROOT.exists()

"""The gate in the database: what is refused even to whoever writes rows by hand. On SQLite, and on Postgres if there is
one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from faceengine.jobs import kinds
from faceengine.jobs.models import Job
from tests.jobs.backends import _database, _migrated, server  # noqa: F401 - a fixture
from tests.web.consents import STANDINGS, consent_of, mandate_of
from tests.web.footage import project_of, user
from webapp.consent import checks, triggers
from webapp.consent.models import Consent, GatedKind, Mandate
from webapp.projects.models import Project

KINDS = ("intake", "extract", "train", "convert", "convert-segment", "score")


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, server: Any, tmp_path: Any, django_db_blocker: Any) -> Any:  # noqa: F811
    """A new database of each sort, as ``migrate`` leaves it."""
    url = _migrated(None if request.param == "sqlite" else server("postgres"), tmp_path, django_db_blocker)
    with django_db_blocker.unblock(), _database(url):
        yield request.param


@pytest.fixture
def project(database: str) -> Project:
    return project_of(user("owner"))


def row(kind: str, mandate: uuid.UUID | None) -> Job:
    """A job that is written into the table past everything in the code."""
    return Job.objects.bulk_create([Job(kind=kind, slot_kind="gpu", config={}, mandate=mandate)])[0]


def refused(change: Callable[[], Any], text: str) -> None:
    with pytest.raises(IntegrityError, match=text), transaction.atomic():
        change()


def test_the_database_s_own_rules(project: Project) -> None:
    """One database for all of it: to make one takes longer than to try it."""
    assert checks.database_refuses(databases=["default"]) == []
    assert set(KINDS) <= set(GatedKind.objects.values_list("name", flat=True))
    _jobs_are_born_with_two_live_consents(project)
    _jobs_keep_what_they_name(project)
    _jobs_run_with_two_live_consents(project)
    _consents_stay_as_they_were_decided(project)
    _mandates_fit(project)
    _rules_come_back(project)


def _jobs_are_born_with_two_live_consents(project: Project) -> None:
    mandate = mandate_of(project)
    for kind in KINDS:
        assert row(kind, mandate.pk)
        refused(lambda kind=kind: row(kind, None), "two live consents")  # type: ignore[misc]
        refused(lambda kind=kind: row(kind, uuid.uuid4()), "two live consents")  # type: ignore[misc]
    for number, standing in enumerate(one for one in STANDINGS if one not in ("none", "live")):
        other = project_of(user(f"owner{number}"))
        of_b = consent_of(other.people.get(side="b"), standing)
        consents = {"consent_a": Consent.objects.filter(person__project=other, side="a")[0], "consent_b": of_b}
        bad = Mandate.objects.create(project=other, **consents)
        refused(lambda bad=bad: row("train", bad.pk), "two live consents")  # type: ignore[misc]


def _jobs_keep_what_they_name(project: Project) -> None:
    mandate, other = mandate_of(project), mandate_of(project_of(user("somebody")))
    job = row("train", mandate.pk)
    here = Job.objects.filter(pk=job.pk)
    refused(lambda: here.update(mandate=None), "keeps its mandate")
    refused(lambda: here.update(mandate=other.pk), "keeps its mandate")
    refused(lambda: here.update(kind="nothing"), "stays of its kind")
    newer = consent_of(project.people.get(side="a"))
    again = Mandate.objects.create(project=project, consent_a=newer, consent_b=mandate.consent_b)
    assert here.update(mandate=again.pk) == 1, "a renewed consent"


def _jobs_run_with_two_live_consents(project: Project) -> None:
    elsewhere = project_of(user("runs"))
    job = row("train", mandate_of(elsewhere).pk)
    here = Job.objects.filter(pk=job.pk)
    assert here.update(state="running") == 1
    assert here.update(state="queued") == 1
    Consent.objects.filter(person__project=elsewhere, side="b").update(expires_at=Now())
    refused(lambda: here.update(state="running"), "runs with two live consents")
    assert here.update(state="failed") == 1


def _consents_stay_as_they_were_decided(project: Project) -> None:
    mine = Consent.objects.filter(person__project=project, side="b")
    someone = user("else")
    for changes in (
        {"purposes": []}, {"accepted": None}, {"side": "a"}, {"given_at": Now()}, {"reviewed_by": someone},
        {"asked_by": someone}, {"way": "pdf"}, {"project_number": 7}, {"expires_at": F("expires_at") + timedelta(1)},
        {"person": project.people.get(side="a")},
    ):  # fmt: skip
        refused(lambda changes=changes: mine.update(**changes), "not changed")  # type: ignore[misc]
    assert mine.update(name="", withdraw_hash="0" * 64) == 1
    assert mine.update(withdrawn_at=timezone.now()) == 1
    refused(lambda: mine.update(withdrawn_at=None), "stays withdrawn")


def _mandates_fit(project: Project) -> None:
    other = project_of(user("others"))
    ours, theirs = ({c.side: c for c in Consent.objects.filter(person__project=one)} for one in (project, other))
    for a, b in ((theirs["a"], theirs["b"]), (ours["b"], ours["a"]), (ours["a"], theirs["b"])):
        refused(lambda a=a, b=b: Mandate.objects.create(project=project, consent_a=a, consent_b=b), "a mandate is of")  # type: ignore[misc]
    mandate = mandate_of(other)
    refused(lambda: Mandate.objects.filter(pk=mandate.pk).update(project=project), "never changed")


def _rules_come_back(project: Project) -> None:
    with connection.cursor() as cursor:
        table = " ON jobs_job" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER consent_job_begins{table}")
    (error,) = checks.database_refuses(databases=["default"])
    assert "consent_job_begins" in error.msg
    call_command("migrate", verbosity=0)
    assert triggers.missing("default") == []
    refused(lambda: row("train", None), "two live consents")


@pytest.mark.django_db
def test_every_kind_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.kinds_ask() == []
    free = kinds.Kind("free", "a.b", "a.c", may_watch=lambda *_: True, may_steer=lambda *_: True)
    monkeypatch.setitem(kinds._KINDS, "free", free)
    (error,) = checks.kinds_ask()
    assert "'free'" in error.msg

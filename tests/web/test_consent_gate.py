"""The gate: what it lets through, what it refuses, and when it is asked."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from faceengine.events import Checkpoint, Progress
from faceengine.jobs import transitions
from faceengine.jobs.models import Job, Slot
from faceengine.jobs.words import MESSAGES
from tests.web.consents import STANDINGS, consent_of, mandate_of, reviewed, reviewer, with_document
from tests.web.footage import client_of, project_of, user
from tests.web.ways import claimed, ended, footage
from webapp.accounts.models import User
from webapp.accounts.proofs import prove_by_mail
from webapp.consent import services, synthetic
from webapp.consent.errors import REASONS, ConsentError, ConsentStepError
from webapp.consent.gate import Act, require_consent
from webapp.consent.models import Consent, Mandate
from webapp.projects.models import AuditEntry, Project
from webapp.uploads import services as uploads

DEMO = Path(__file__).parents[2] / "demo"
CONFIG = {"a": "faces/a", "b": "faces/b"}
CODES = {
    "none": "consent.missing",
    "asked": "consent.missing",
    "waiting": "consent.waiting",
    "refused": "consent.refused",
    "expired": "consent.expired",
    "withdrawn": "consent.withdrawn",
}


@pytest.fixture
def owner(db: None) -> User:
    return user("owner")


def of(project: Project, side: str) -> Any:
    return Consent.objects.filter(person__project=project, side=side)


def refusal(project: Project, act: Act = Act.TRAIN, **more: Any) -> str:
    with pytest.raises(ConsentError) as raised:
        require_consent(project, act, **more)
    return raised.value.code


def test_two_live_consents_are_one_query(project: Project, django_assert_num_queries: Any) -> None:
    first = require_consent(project, Act.TRAIN)
    with django_assert_num_queries(1):
        assert require_consent(project, Act.CONVERT) == first
    assert (first.consent_a.side, first.consent_b.side) == ("a", "b")


@pytest.mark.parametrize("side", ["a", "b"])
@pytest.mark.parametrize("standing", [one for one in STANDINGS if one != "live"])
def test_whatever_is_not_live_is_refused(project: Project, owner: User, side: str, standing: str) -> None:
    of(project, side).delete()
    consent_of(project.people.get(side=side), standing)
    for act in Act:
        assert refusal(project, act, actor=owner) == CODES[standing]
    told = AuditEntry.objects.filter(project=project, verb="consent.refused").order_by("-pk")[0]
    assert told.actor == owner
    assert told.data == {"act": "deliver", "code": CODES[standing], "side": side}


def test_a_refusal_is_told_once_a_minute(project: Project) -> None:
    of(project, "a").delete()
    for _ in range(3):
        refusal(project)
    assert AuditEntry.objects.filter(verb="consent.refused").count() == 1


def test_what_somebody_did_not_agree_to_is_refused(project: Project) -> None:
    of(project, "b").delete()
    consent_of(project.people.get(side="b"), purposes=["train"])
    assert require_consent(project, Act.TRAIN)
    assert refusal(project, Act.CONVERT) == "consent.scope"
    assert refusal(project, Act.DELIVER) == "consent.scope"


def test_a_new_consent_takes_the_place_of_one_that_has_expired(project: Project) -> None:
    before = require_consent(project, Act.TRAIN)
    of(project, "a").update(expires_at=Now())
    assert refusal(project) == "consent.expired"
    consent_of(project.people.get(side="a"))
    assert require_consent(project, Act.TRAIN) != before


# ---- jobs ------------------------------------------------------------------------------------------------------------


def test_no_job_without_a_mandate(project: Project, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIG))
    with pytest.raises(ConsentError) as raised:
        transitions.submit("train", CONFIG)
    assert raised.value.code == "consent.no_mandate"
    with pytest.raises(CommandError, match="has no consent grant"):
        call_command("submit", "train", str(config))
    assert not Job.objects.exists()


def test_no_job_uses_what_belongs_to_others(project: Project) -> None:
    other = project_of(user("another"))
    theirs = transitions.submit("extract", {"inputs": ["x"]}, mandate=mandate_of(other).pk)
    for name in (theirs.folder, f"{theirs.folder}/crops", f"projects/{other.pk}/a/faces"):
        with pytest.raises(ConsentError) as raised:
            transitions.submit("train", CONFIG | {"b": name}, mandate=mandate_of(project).pk)
        assert raised.value.code == "consent.foreign"
    ours = transitions.submit("extract", {"inputs": ["x"]}, mandate=mandate_of(project).pk)
    config = {"a": ours.folder, "b": f"projects/{project.pk}/b/faces"}
    assert transitions.submit("train", config, mandate=mandate_of(project).pk)


def test_a_queued_job_does_not_begin_once_a_consent_is_gone(project: Project) -> None:
    job = transitions.submit("train", CONFIG, mandate=mandate_of(project).pk)
    of(project, "a").update(withdrawn_at=Now())
    other = transitions.submit("train", CONFIG, mandate=mandate_of(project_of(user("another"))).pk)
    slot = Slot.objects.create(host="here", name="gpu0", kind="gpu", pid=1, version="1")
    assert transitions.claim(slot) == other
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "consent.withdrawn")
    assert job.attempt == 0


def test_a_running_job_ends_at_its_next_checkpoint(project: Project) -> None:
    job = claimed(transitions.submit("train", CONFIG, mandate=mandate_of(project).pk))
    of(project, "b").update(expires_at=Now())
    assert transitions.record(job.pk, job.attempt, [Progress("train", 1, 2, "iterations")])
    assert not transitions.record(job.pk, job.attempt, [Checkpoint(20, "checkpoints/000020.safetensors")])
    job.refresh_from_db()
    assert (job.state, job.error_code, job.checkpoint) == ("failed", "consent.expired", None)
    assert transitions.wanted(job.pk, 1) is None


def test_a_running_job_ends_at_its_next_heartbeat(project: Project) -> None:
    job = claimed(transitions.submit("train", CONFIG, mandate=mandate_of(project).pk))
    assert transitions.beat(job.pk, job.attempt) == "run"
    of(project, "b").update(withdrawn_at=Now())
    assert transitions.beat(job.pk, job.attempt) is None
    assert Job.objects.get(pk=job.pk).error_code == "consent.withdrawn"


@pytest.mark.parametrize("change", ["retry", "resume"])
def test_nothing_goes_on_without_consent(project: Project, owner: User, change: str) -> None:
    job = transitions.submit("train", CONFIG, owner=owner, mandate=mandate_of(project).pk)
    assert transitions.pause(job) if change == "resume" else transitions.cancel(job)
    of(project, "a").update(expires_at=Now())
    before = Job.objects.get(pk=job.pk).state
    answer = client_of(owner).post(f"/jobs/{job.pk}/{change}/", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "consent.expired")
    assert Job.objects.get(pk=job.pk).state == before


def test_no_ended_job_is_extended_without_consent(project: Project) -> None:
    job = transitions.submit("train", CONFIG, mandate=mandate_of(project).pk)
    transitions.cancel(job)
    of(project, "a").update(expires_at=Now())
    with pytest.raises(ConsentError):
        transitions.extend(job, CONFIG | {"iterations": 5})


# ---- consents --------------------------------------------------------------------------------------------------------


def test_a_consent_is_asked_for_given_and_reviewed_by_somebody_else(project: Project, owner: User) -> None:
    of(project, "a").delete()
    person = project.people.get(side="a")
    consent = services.ask(person, owner)
    assert consent.standing == "asked"
    with pytest.raises(ConsentStepError, match="role"):
        services.review(consent, reviewer(), True)
    second = reviewer_in(project)
    with pytest.raises(ConsentStepError, match=r"review\.unproven"):
        services.review(consent, second, True)
    prove_by_mail(second)
    with pytest.raises(ConsentStepError, match="not_given"):
        services.review(consent, second, True)
    services.give(consent, "pdf")
    assert consent.standing == "waiting"
    with pytest.raises(ConsentStepError, match="own_review"):
        services.review(consent, owner, True)
    with pytest.raises(ConsentStepError, match="no_evidence"):
        services.review(consent, second, True)
    with_document(consent)
    with pytest.raises(ConsentStepError, match="not_seen"):
        services.review(consent, second, True)
    reviewed(consent, second)
    assert consent.standing == "live"
    assert services.live(person) == consent
    with pytest.raises(ConsentStepError, match="closed"):
        services.review(consent, reviewer_in(project), False)
    assert services.withdraw(consent)
    assert not services.withdraw(consent)
    assert (consent.standing, consent.name) == ("withdrawn", "")


def reviewer_in(project: Project) -> User:
    found = reviewer()
    project.team.memberships.get_or_create(user=found, role="editor")
    return found


def test_the_database_itself_wants_four_eyes(project: Project, owner: User) -> None:
    person = project.people.get(side="a")
    for fields in ({"asked_by": owner, "reviewed_by": owner}, {"reviewed_by": None}, {"expires_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            consent_of(person, **fields)


def test_people_of_the_demo_have_consents_that_say_so(owner: User, project: Project) -> None:
    Mandate.objects.all().delete()
    Consent.objects.all().delete()
    services.grant_synthetic(project, owner)
    assert require_consent(project, Act.DELIVER)
    assert set(Consent.objects.values_list("way", flat=True)) == {"synthetic"}


def test_the_clips_of_made_people_are_those_that_are_shipped() -> None:
    for digest, name in synthetic.CLIPS.items():
        assert hashlib.sha256((DEMO / name).read_bytes()).hexdigest() == digest


def test_no_other_file_shows_made_people(owner: User, project: Project) -> None:
    Consent.objects.all().delete()
    services.grant_synthetic(project, owner)
    person = project.people.get(side="a")
    looks = {"width": 9, "height": 9, "frames": 1, "fps": 1, "duration": 1, "has_sound": False, "size": 3}
    made = looks | {"kind": "video", "file": "asset.mp4", "poster": "", "filmstrip": ""}
    for digest, state, code in (("0" * 64, "refused", "consent.synthetic"), (next(iter(synthetic.CLIPS)), "ready", "")):
        upload = uploads.begin(owner, person, "clip.mp4", 3)
        uploads.append(upload, 0, ContentFile(b"abc"))
        assert upload.asset is not None
        assert upload.asset.job is not None
        ended(upload.asset.job, result=made | {"sha256": digest})
        upload.asset.refresh_from_db()
        assert (upload.asset.state, upload.asset.code) == (state, code)


def test_nobody_in_existing_footage_is_declared_to_be_made(owner: User, project: Project) -> None:
    footage(project.people.get(side="b"))
    with pytest.raises(ConsentStepError, match="not_synthetic"):
        services.grant_synthetic(project, owner)


def test_all_middleware_can_be_awaited(settings: Any) -> None:
    """One that can't keeps a server from ending."""
    assert [name for name in settings.MIDDLEWARE if not import_string(name).async_capable] == []


def test_every_refusal_has_a_headline_on_the_pages_of_jobs() -> None:
    assert set(REASONS) <= set(MESSAGES)

"""Withdrawing: what runs stops, and nothing of the person is left: on the disk, in the store, in the database."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from faceengine.jobs import kinds, runner, transitions
from faceengine.jobs.models import Attempt, Job
from faceengine.jobs.scratch import Cache
from tests.jobs.conftest import make_slot
from tests.jobs.stores import BUCKET, keys, relay, s3, s3_server  # noqa: F401 - fixtures
from tests.web.consents import consented, mandate_of
from tests.web.footage import Tus, arriving, client_of, files_of, stored
from tests.web.ways import claimed, converted, footage, scored, still_of, trained
from webapp.accounts.models import User
from webapp.accounts.services import found_team
from webapp.consent import services
from webapp.consent.models import Consent, Tombstone
from webapp.consent.tombstones import settle
from webapp.curation.models import Crop
from webapp.projects.models import AuditEntry, Person, Project
from webapp.projects.services import create_project
from webapp.uploads import services as uploads
from webapp.uploads.models import Upload

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "Annabella Quartz"


@pytest.fixture
def project(owner: User) -> Project:
    """All that a project can have: footage, faces, tiles that were looked at, a run, a conversion, a score."""
    made = consented(create_project(owner, found_team(owner, "Team"), "Project", a=NAME, b="Bruno"))
    run = trained(made)
    conversion = converted(run)
    scored(conversion)
    still_of(run)
    uploads.begin(owner, person_of(made, "a"), "later.mov", 100)
    uploads.begin(owner, person_of(made, "b"), "later.mov", 100)
    for side in "ab":
        crop = Crop.objects.filter(face_set__person__project=made, face_set__person__side=side).earliest("pk")
        crops = Path(default_storage.path(crop.face_set.key("crops")))
        if not any(crops.iterdir()):
            pytest.fail("the set has no pictures")
        client_of(owner).get(f"/projects/{made.pk}/{side}/faces/small/96/{crop.pk}")
    Attempt.objects.update(ended_at=timezone.now() - timedelta(hours=1))
    default_storage.save(f"{made.folder}/a/arrivals/0/file", ContentFile(b"as it came"))
    return made


def person_of(project: Project, side: str) -> Person:
    found: Person = project.people.get(side=side)
    return found


def consent(project: Project, side: str = "a") -> Consent:
    return Consent.objects.filter(person__project=project, side=side)[0]


def everything() -> dict[str, Any]:
    """All rows of the database but the audit trail's, as text by table."""
    out = Path(default_storage.path("")).parent / "dump.json"
    call_command("dumpdata", output=str(out), verbosity=0, exclude=["projects.auditentry", "contenttypes", "auth"])
    rows: dict[str, Any] = {}
    for row in json.loads(out.read_text()):
        rows.setdefault(row["model"], []).append(row)
    out.unlink()
    return rows


def test_nothing_of_the_person_is_left_and_all_of_the_other(project: Project) -> None:
    before, coming = stored(), arriving()
    bruno = person_of(project, "b")
    of_bruno = {f"{asset.job.folder}/" for asset in bruno.assets.all() if asset.job} | {f"{bruno.folder}/"}
    of_bruno |= {f"{bruno.face_set.folder}/"}
    his = {name for name in before if name.startswith(tuple(of_bruno))}
    assert len(before) > len(his) > 30
    assert any("/thumbs/" in name for name in before - his)
    assert len(coming) == 2

    assert services.withdraw(consent(project))
    assert stored() == his
    assert arriving() == {name for name in coming if name.startswith(str(bruno.uploads.get().pk))}

    rows = everything()
    assert "Annabella" not in json.dumps(rows)
    assert {row["fields"]["person"] for row in rows["uploads.asset"]} == {bruno.pk}
    assert {row["fields"]["person"] for row in rows["curation.faceset"]} == {bruno.pk}
    for model in ("studio.run", "studio.snapshot", "studio.conversion", "studio.score"):
        assert model not in rows
    kinds_left = sorted(row["fields"]["kind"] for row in rows["jobs.job"])
    assert kinds_left == ["extract", "intake"]
    told = AuditEntry.objects.get(verb="consent.withdrawn")
    assert "Annabella" not in str(told.data)


def test_tombstones_say_what_there_was(project: Project) -> None:
    asset = person_of(project, "a").assets.get()
    result = default_storage.open("jobs/" + str(Job.objects.get(kind="convert").pk) + "/result.mp4").read()
    services.withdraw(consent(project))
    stones = {stone.kind: stone for stone in Tombstone.objects.all()}
    kinds_gone = {"intake", "extract", "train", "convert", "score", "asset", "upload", "faces", "run", "conversion"}
    assert kinds_gone <= set(stones)
    assert stones["asset"].sha256 == asset.sha256
    assert stones["convert"].sha256 == hashlib.sha256(result).hexdigest()
    made = [stone for stone in stones.values() if stone.kind != "person"]
    assert all(stone.consent == consent(project) and stone.made_at for stone in made)


def test_withdrawing_one_is_withdrawing_all_that_one_has_agreed_to(project: Project) -> None:
    services.withdraw(consent(project))
    assert not services.withdraw(consent(project))
    before = Tombstone.objects.count()
    assert services.withdraw(consent(project, "b"))
    assert Tombstone.objects.count() > before
    assert stored() == set()


def test_what_waits_or_rests_ends(project: Project, owner: User) -> None:
    mandate = mandate_of(project).pk
    config = {"a": "faces/a", "b": "faces/b"}
    queued = transitions.submit("train", config, mandate=mandate)
    paused = transitions.submit("train", config, mandate=mandate)
    transitions.pause(paused)
    asset = footage(person_of(project, "b"), "more.mov")
    other = Job.objects.get(pk=asset.job_id)
    Job.objects.filter(pk=other.pk).update(state="queued")
    services.withdraw(consent(project))
    assert not Job.objects.filter(pk__in=[queued.pk, paused.pk]).exists()
    other.refresh_from_db()
    assert (other.state, other.error_code) == ("failed", "consent.withdrawn")


# ---- what is at work -------------------------------------------------------------------------------------------------


def test_what_a_dying_body_still_writes_goes_too(project: Project) -> None:
    job = claimed(transitions.submit("train", {"a": "faces/a", "b": "faces/b"}, mandate=mandate_of(project).pk))
    folder = Path(default_storage.path(job.folder))
    folder.mkdir(parents=True)
    (folder / "losses.jsonl").write_text("1")
    services.withdraw(consent(project))
    left = Job.objects.get(pk=job.pk)
    assert (left.state, left.error_code, left.title, left.config) == ("failed", "consent.withdrawn", "", {})
    assert not folder.exists()
    folder.mkdir(parents=True)
    (folder / "checkpoint.safetensors").write_text("written by a body that is being killed")

    kinds.get("train").on_gone(job)
    assert not folder.exists()
    assert not Job.objects.filter(pk=job.pk).exists()
    assert Tombstone.objects.get(thing=str(job.pk)).settled_at is not None


def test_what_a_runner_left_that_was_killed_goes_with_a_later_sweep(project: Project) -> None:
    job = claimed(transitions.submit("train", {"a": "faces/a", "b": "faces/b"}, mandate=mandate_of(project).pk))
    services.withdraw(consent(project))
    late = Path(default_storage.path(job.folder), "late.png")
    tile = Path(default_storage.path(f"{person_of(project, 'a').folder}/thumbs/96/1.webp"))
    for path in (late, tile):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"late")
    assert {stone.thing for stone in Tombstone.objects.filter(settled_at=None)} >= {str(job.pk)}
    settle()
    assert late.parent.exists() is False
    late.parent.mkdir()
    late.write_bytes(b"later still")
    Tombstone.objects.update(erased_at=timezone.now() - timedelta(minutes=10))
    assert settle() == 0
    assert not late.parent.exists()
    assert not tile.parent.exists()
    assert not Job.objects.filter(pk=job.pk).exists()


@pytest.fixture
def writing(project: Project) -> Iterator[None]:
    """Trainings have a body that writes a line every hundredth of a second, and no torch."""
    usual = kinds.get("train")
    kinds.register(
        dataclasses.replace(usual, function="tests.jobs.stages.run", config_class="tests.jobs.stages.ActConfig")
    )
    yield
    kinds.register(usual)


@pytest.mark.parametrize("every", [0, 1], ids=["between two checkpoints", "at a checkpoint"])
def test_a_real_body_is_killed_and_leaves_nothing(project: Project, writing: None, every: int) -> None:
    Job.objects.exclude(state__in=("done", "failed", "cancelled")).update(state="cancelled")
    job = transitions.submit("train", {"steps": 3000, "every": every}, mandate=mandate_of(project).pk)
    counted = Path(default_storage.path(job.folder), "counted.txt")
    began: list[float] = []

    def withdraw_when_it_works() -> None:
        while not counted.exists() or counted.read_text().count("\n") < 5:
            time.sleep(0.01)
        began.append(time.monotonic())
        services.withdraw(consent(project))
        from django.db import connection

        connection.close()

    thread = threading.Thread(target=withdraw_when_it_works)
    thread.start()
    runner.run_next(make_slot(), stopping=lambda: False)
    took = time.monotonic() - began[0]
    thread.join()
    assert took < 5, "within a look at the ledger, and no longer"
    assert not counted.parent.exists()
    assert not Job.objects.filter(pk=job.pk).exists()
    assert [name for name in stored() if str(job.pk) in name] == []


# ---- what is arriving ------------------------------------------------------------------------------------------------


def test_a_file_that_is_arriving_becomes_nothing(project: Project, owner: User) -> None:
    anna = person_of(project, "a")
    tus = Tus(owner, anna)
    url = tus.create(6)["Location"]
    assert tus.patch(url, 0, b"abc").status_code == 204
    upload = Upload.objects.get(pk=url.rstrip("/").split("/")[-1])
    services.withdraw(consent(project))
    assert tus.patch(url, 3, b"def").status_code == 404
    with pytest.raises(Exception, match="consent"):
        uploads.append(upload, 3, ContentFile(b"def"))
    assert not any(str(upload.pk) in name for name in arriving() | stored())


def test_a_consent_that_goes_in_the_last_moment_leaves_no_file(project: Project, owner: User, monkeypatch: Any) -> None:
    anna = person_of(project, "a")
    upload = uploads.begin(owner, anna, "clip.mov", 3)

    def late(asset: Any) -> Job:
        Consent.objects.filter(person=anna).update(withdrawn_at=timezone.now())
        return take_in(asset)

    take_in = uploads._take_in
    monkeypatch.setattr(uploads, "_take_in", late)
    with pytest.raises(Exception, match="withdrawn"):
        uploads.append(upload, 0, ContentFile(b"abc"))
    assert not any(str(upload.pk) in name for name in stored())


# ---- elsewhere -------------------------------------------------------------------------------------------------------


def test_nothing_is_left_in_a_store_nor_in_its_copies(
    owner: User, s3: Any, settings: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    settings.JOBS_SCRATCH_DIR = tmp_path
    project = consented(create_project(owner, found_team(owner, "Team"), "Project"))
    job = transitions.submit("train", {"a": "faces/a", "b": "faces/b"}, mandate=mandate_of(project).pk)
    other = transitions.submit("extract", {"inputs": ["x"]}, mandate=mandate_of(project_with_b(owner)).pk)
    cache = Cache()
    for folder in (f"{job.folder}/files/1-0", f"{project.folder}/a/thumbs/96", f"{other.folder}/files/1-0"):
        default_storage.save(f"{folder}/1.png", ContentFile(b"picture"))
        cache.put(f"{folder}/1.png", "tag", tmp_path / "input.png", lambda _, path: path.write_bytes(b"copy") and None)
    assert len(files_of(tmp_path / "cache")) == 3
    services.withdraw(consent(project))
    assert keys(s3) == {f"{other.folder}/files/1-0/1.png"}
    assert len(files_of(tmp_path / "cache")) == 1


def project_with_b(owner: User) -> Project:
    return consented(create_project(owner, found_team(owner, "Another"), "Another"))

"""Cleaning up: what no row names goes, and nothing that a row names ever does; who may; what the page says."""

from __future__ import annotations

import fcntl
import io
import os
import random
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.utils import timezone

from faceengine.jobs import transitions
from faceengine.jobs.models import Attempt, Job, Slot
from tests.jobs.stores import keys, relay, s3, s3_server  # noqa: F401 - fixtures
from tests.web.consents import consent_of, mandate_of
from tests.web.footage import client_of, people, project_of, user
from tests.web.pdfs import pdf
from tests.web.ways import claimed, converted, faces, footage, scored, trained
from webapp.accounts.models import User
from webapp.consent.evidence import keep
from webapp.consent.models import Tombstone
from webapp.curation.models import Crop, FaceSet
from webapp.operations import cleaning, survey
from webapp.operations.places import Root, folder_of
from webapp.projects.models import Project
from webapp.uploads import services as uploads
from webapp.uploads.models import Asset, AssetState, Upload

pytestmark = pytest.mark.django_db
DAYS_AGO = 3


@pytest.fixture(autouse=True)
def empty_disk(settings: Any, tmp_path: Path) -> None:
    for name in ("MEDIA_ROOT", "UPLOADS_DIR", "VERIFY_DIR", "JOBS_SCRATCH_DIR"):
        setattr(settings, name, tmp_path / name.lower())
        (tmp_path / name.lower()).mkdir()


@pytest.fixture
def project() -> Project:
    """All that a project can have."""
    owner = user("owner")
    made = project_of(owner)
    run = trained(made)
    scored(converted(run))
    person = made.people.get(side="a")
    consent = consent_of(person)
    assert consent is not None
    keep(consent, SimpleUploadedFile("scan.pdf", pdf()), "upload")
    uploads.begin(owner, person, "later.mov", 100)
    asset = Asset.objects.filter(person=person).earliest("pk")
    assert asset.job is not None
    for part in ("poster", "filmstrip"):
        setattr(asset, part, default_storage.save(f"{asset.job.folder}/{part}.webp", ContentFile(b"picture")))
    asset.save()
    arrival = default_storage.save(f"{person.folder}/arrivals/{uuid.uuid4()}/file", ContentFile(b"as it came"))
    Asset.objects.create(person=person, name="x", arrival=arrival, size=9, stored=9, state=AssetState.REFUSED)
    crop = Crop.objects.filter(face_set__person=person).earliest("pk")
    client_of(owner).get(f"/projects/{made.pk}/a/faces/small/96/{crop.pk}")
    for job in Job.objects.all():
        Attempt.objects.get_or_create(job=job, number=1, defaults={"slot": "here/gpu0", "ended_at": timezone.now()})
        default_storage.save(f"{job.folder}/logs/1.log", ContentFile(b"said"))
    age()
    return made


def age(days: float = DAYS_AGO) -> None:
    """All files were last written so many days ago."""
    then = time.time() - days * 24 * 3600
    for root in Root:
        folder = folder_of(root)
        assert folder is not None
        for path in folder.rglob("*"):
            os.utime(path, (then, then))


def put(root: Root, name: str, content: bytes = b"something", days: float = DAYS_AGO) -> Path:
    folder = folder_of(root)
    assert folder is not None
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    then = time.time() - days * 24 * 3600
    os.utime(path, (then, then))
    return path


def listed() -> set[tuple[Root, str]]:
    """All files there are, hidden ones and logs too."""
    found = set()
    for root in Root:
        folder = folder_of(root)
        assert folder is not None
        found |= {(root, str(path.relative_to(folder))) for path in folder.rglob("*") if path.is_file()}
    return found


def said_by_rows() -> set[str]:
    """Every text that any row of any table says, at any depth, but for what says that something is gone."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, str):
            found.add(value.strip("/"))
        elif isinstance(value, dict):
            walk([*value.keys(), *value.values()])
        elif isinstance(value, list):
            for one in value:
                walk(one)

    for model in apps.get_models():
        if model._meta.label not in ("consent.Tombstone", "consent.Leftover", "projects.AuditEntry"):
            for values in model._default_manager.values():
                walk([value if not isinstance(value, uuid.UUID) else str(value) for value in values.values()])
    for attempt in Attempt.objects.filter(log_removed_at=None):
        found.add(attempt.log)
    return found


def is_named(name: str, said: set[str]) -> bool:
    """Whether a row names the file, or a folder that it is in and that is a thing's own."""
    parts = name.split("/")
    folders = {"/".join(parts[:length]) for length in range(2, len(parts) + 1)}
    return bool(folders & said)


# ---- what must stay --------------------------------------------------------------------------------------------------


def test_of_what_is_there_nothing_goes_however_old(project: Project) -> None:
    age(3000)
    before = listed()
    assert len(before) > 100
    kinds = set(survey.survey().space)
    wanted = {"footage", "faces", "runs", "conversions", "scores", "pictures", "evidence", "logs", "arriving"}
    assert wanted <= {str(kind) for kind in kinds}
    assert cleaning.preview() == {}
    assert cleaning.clean_up().files == 0
    assert listed() == before


def test_what_goes_is_named_by_no_row(project: Project) -> None:
    """Rows are deleted at random and files thrown in; an oracle that knows no rules reads all rows of all tables."""
    chance = random.Random(7)
    strange = [uuid.UUID(int=chance.getrandbits(128), version=4) for _ in range(12)]
    owner = User.objects.get(email="owner@example.org")
    for round_ in range(6):
        person = project.people.get(side=chance.choice("ab"))
        footage(person, f"{round_}.mov")
        faces(person) if chance.random() < 0.3 and not FaceSet.objects.filter(person=person).exists() else None
        uploads.begin(owner, person, "more.mov", 9)
        age()
        for _ in range(15):
            job = chance.choice([*strange, *Job.objects.values_list("pk", flat=True)])
            number = chance.choice([project.pk, 99999])
            hidden = chance.choice(["", ".", ".x.part"])
            put(Root.STORAGE, f"jobs/{job}/{hidden}{chance.choice(['a.png', 'crops/1.png', 'logs/7.log'])}")
            put(Root.STORAGE, f"projects/{number}/a/thumbs/96/{chance.randrange(10**6)}.webp")
            put(Root.STORAGE, f"projects/{number}/b/arrivals/{chance.choice(strange)}/file")
            put(Root.STORAGE, f"consents/{chance.choice(strange)}")
            put(Root.UPLOADS, f"{chance.choice(strange)}/data")
            put(Root.SCRATCH, f"attempts/{job}-1/run/x.png")
            put(Root.SCRATCH, f"cache/jobs+{job}+a.png-{'0' * 64}")
        for model in (Upload, Crop):
            doomed = list(model.objects.values_list("pk", flat=True))
            model.objects.filter(pk__in=chance.sample(doomed, len(doomed) // 4)).delete()
        conversions = list(Job.objects.filter(kind__in=("convert", "score")).values_list("pk", flat=True))
        Job.objects.filter(pk__in=conversions[:1]).delete() if round_ == 3 else None
        before, said = listed(), said_by_rows()
        cleaning.clean_up()
        after = listed()
        gone = {name for root, name in before - after if root == Root.STORAGE}
        assert gone
        halves = {name for name in gone if "/." in name}  # of a job that has ended: its process is dead
        assert not {name for name in gone - halves if is_named(name, said)}
        live = {str(pk) for pk in Upload.objects.values_list("pk", flat=True)}
        assert not {name for root, name in before - after if root == Root.UPLOADS and name.split("/")[0] in live}
    assert {str(job) for job in strange} & {name.split("/")[1] for _, name in before if name.startswith("jobs/")}


def test_what_is_young_stays(project: Project) -> None:
    """It may be there before its row is."""
    names = ["jobs/{}/a.png", "consents/{}", "projects/99999/a/thumbs/96/1.webp"]
    young = [put(Root.STORAGE, name.format(uuid.uuid4()), days=0.9) for name in names]
    young.append(put(Root.UPLOADS, f"{uuid.uuid4()}/data", days=0.9))
    assert cleaning.clean_up().files == 0
    assert all(path.exists() for path in young)


def test_what_is_not_recognised_stays(project: Project) -> None:
    names = ["notes.txt", "jobs/readme.md", "jobs/not-a-job/x", "projects/x/y", "consents/a/b", "anything/else"]
    odd = [put(Root.STORAGE, name, days=999) for name in names]
    odd += [put(Root.UPLOADS, "keep/data", days=999), put(Root.SCRATCH, "other/x", days=999)]
    cleaning.clean_up()
    assert all(path.exists() for path in odd)


def test_an_open_job_s_inputs_stay_also_without_their_rows(project: Project) -> None:
    other = uuid.uuid4()
    path = put(Root.STORAGE, f"jobs/{other}/asset.mp4")
    job = transitions.submit("train", {"a": f"faces/{other}", "b": "b"}, mandate=mandate_of(project).pk)
    Job.objects.filter(pk=job.pk).update(config={"a": f"jobs/{other}", "b": "b"})
    cleaning.clean_up()
    assert path.exists()
    assert transitions.cancel(job)
    cleaning.clean_up()
    assert path.exists(), "it can be retried"
    job.delete()
    cleaning.clean_up()
    assert not path.exists()


def test_a_link_is_not_followed(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine")
    folder = folder_of(Root.STORAGE)
    assert folder is not None
    (folder / "jobs" / str(uuid.uuid4())).symlink_to(elsewhere)
    age(99)
    cleaning.clean_up()
    assert (elsewhere / "mine.txt").exists()


# ---- what goes -------------------------------------------------------------------------------------------------------


def test_an_upload_that_has_expired_goes_and_one_under_way_stays(project: Project) -> None:
    owner, person = User.objects.get(email="owner@example.org"), project.people.get(side="b")
    under_way, expired = (uploads.begin(owner, person, "x.mov", 9) for _ in "12")
    Upload.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    goes = cleaning.preview()[survey.Why.EXPIRED]
    assert {file.name.split("/")[0] for file in goes} == {str(expired.pk)}
    cleaning.clean_up()
    folders = {path.name for path in Path(settings.UPLOADS_DIR).iterdir()}
    assert str(under_way.pk) in folders
    assert str(expired.pk) not in folders


def test_files_without_a_row_go_with_their_folders(project: Project) -> None:
    job = uuid.uuid4()
    put(Root.STORAGE, f"jobs/{job}/crops/1.png")
    put(Root.STORAGE, "projects/99999/a/thumbs/96/1.webp")
    put(Root.STORAGE, f"projects/{project.pk}/a/thumbs/96/999999.webp")
    put(Root.STORAGE, f"projects/{project.pk}/a/arrivals/{uuid.uuid4()}/file")
    put(Root.STORAGE, f"consents/{uuid.uuid4()}")
    put(Root.UPLOADS, f"{uuid.uuid4()}/data")
    assert [(why, len(files)) for why, files in cleaning.preview().items()] == [(survey.Why.NOBODY_S, 6)]
    assert cleaning.clean_up().files == 6
    folder = folder_of(Root.STORAGE)
    assert folder is not None
    assert not (folder / f"jobs/{job}").exists()
    assert not (folder / "projects/99999").exists()
    assert cleaning.preview() == {}


def test_an_upload_that_is_whole_and_not_yet_an_asset_is_not_lost(project: Project) -> None:
    """A process died between moving the file and writing the row; whoever asks for the upload next makes it."""
    owner, person = User.objects.get(email="owner@example.org"), project.people.get(side="b")
    upload = uploads.begin(owner, person, "x.mov", 9)
    Upload.objects.filter(pk=upload.pk).update(offset=9)
    path = put(Root.STORAGE, f"{person.folder}/arrivals/{upload.pk}/file", b"9 letters")
    cleaning.clean_up()
    assert path.exists()
    uploads.standing(Upload.objects.get(pk=upload.pk))
    assert Asset.objects.get(upload=upload).arrival.endswith(f"{upload.pk}/file")


def test_old_logs_of_ended_jobs_go_and_their_pages_say_so(project: Project, settings: Any) -> None:
    settings.LOGS_KEEP_DAYS = 30
    run = Job.objects.filter(kind="train").earliest("created_at")
    running = claimed(transitions.submit("train", {"a": "a", "b": "b"}, mandate=mandate_of(project).pk))
    put(Root.STORAGE, f"{running.folder}/logs/1.log")
    Attempt.objects.filter(job__in=[run, running]).update(ended_at=timezone.now() - timedelta(days=31))
    goes = cleaning.preview()[survey.Why.OLD_LOG]
    assert [file.name for file in goes] == [f"{run.folder}/logs/1.log"]
    cleaning.clean_up()
    page = client_of(User.objects.get(email="owner@example.org")).get(f"/jobs/{run.pk}/logs/1/").content.decode()
    assert "retention period was over" in page
    assert run.attempts.get().log_removed_at is not None
    assert cleaning.preview() == {}


def test_what_dead_processes_left_goes_and_what_the_living_hold_stays(project: Project) -> None:
    run = Job.objects.filter(kind="train").earliest("created_at")
    half = put(Root.STORAGE, f"{run.folder}/checkpoints/.000300.part.safetensors")
    running = claimed(transitions.submit("train", {"a": "a", "b": "b"}, mandate=mandate_of(project).pk))
    half_of_running = put(Root.STORAGE, f"{running.folder}/checkpoints/.000300.part.safetensors")
    dead, alive = (put(Root.SCRATCH, f"attempts/{uuid.uuid4()}-1/run/x.png") for _ in "12")
    lock = put(Root.SCRATCH, f"attempts/{alive.parents[1].name}.lock", b"")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        cleaning.clean_up()
        assert (half.exists(), half_of_running.exists()) == (False, True)
        assert (dead.exists(), alive.exists()) == (False, True)
    cleaning.clean_up()
    assert not alive.exists()


def test_copies_of_what_was_deleted_go(project: Project) -> None:
    job = Job.objects.filter(kind="intake").earliest("created_at")
    kept = put(Root.SCRATCH, f"cache/jobs+{job.pk}+asset.mov-{'0' * 64}")
    gone = put(Root.SCRATCH, f"cache/jobs+{uuid.uuid4()}+asset.mov-{'0' * 64}")
    cleaning.clean_up()
    assert (kept.exists(), gone.exists()) == (True, False)


def test_files_that_were_sent_to_be_verified_go_after_an_hour() -> None:
    young, old = put(Root.VERIFY, "a", days=0.01), put(Root.VERIFY, "b", days=0.1)
    cleaning.clean_up()
    assert (young.exists(), old.exists()) == (True, False)


def test_tombstones_stay(project: Project) -> None:
    from webapp.consent import services
    from webapp.consent.models import Consent

    consent = Consent.objects.filter(person=project.people.get(side="a"), accepted=True)[0]
    assert services.withdraw(consent)
    stones = list(Tombstone.objects.order_by("pk").values())
    assert len(stones) > 5
    put(Root.STORAGE, f"{stones[0]['folder']}/late.png")
    cleaning.clean_up()
    assert list(Tombstone.objects.order_by("pk").values()) == stones


def test_in_a_bucket_too(s3: Any, settings: Any) -> None:  # noqa: F811
    project = project_of(user("owner"))
    asset = footage(project.people.get(side="a"))
    assert asset.job is not None
    job = asset.job
    Job.objects.filter(pk=job.pk).update(files={"asset.mov": f"{job.folder}/files/1-0/asset.mov"})
    stray = f"jobs/{uuid.uuid4()}"
    for name in (f"{job.folder}/files/1-0/asset.mov", f"{stray}/a.png", "anything/else"):
        default_storage.save(name, ContentFile(b"something"))
    before = keys(s3)
    assert cleaning.preview() == {}, "all of it is young"
    later = time.time() + 2 * 24 * 3600

    class Later:
        time = staticmethod(lambda: later)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(survey, "time", Later)
        assert cleaning.clean_up().files == 1
    assert keys(s3) == before - {f"{stray}/a.png"}


# ---- command and page ------------------------------------------------------------------------------------------------


def command(*words: str) -> str:
    out = io.StringIO()
    call_command("clean_up", *words, stdout=out)
    return out.getvalue()


def test_the_command_only_says_unless_it_is_told_to(project: Project) -> None:
    name = f"jobs/{uuid.uuid4()}/a.png"
    path = put(Root.STORAGE, name)
    assert name in command()
    assert path.exists()
    assert command("--really").startswith("1 files deleted")
    assert not path.exists()
    assert command() == ""


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("staff@example.org", is_staff=True)


def test_only_who_runs_the_installation_has_the_page(project: Project, staff: User) -> None:
    path = put(Root.STORAGE, f"jobs/{uuid.uuid4()}/a.png")
    for name, one in people(project).items():
        expected = 302 if one is None else 403
        assert client_of(one).get("/operations/").status_code == expected, name
        assert client_of(one).post("/operations/clean-up/").status_code == expected, name
        assert "/operations/" not in client_of(one).get("/teams/").content.decode()
    assert path.exists()
    browser = client_of(staff)
    assert browser.get("/operations/clean-up/").status_code == 405
    assert "/operations/" in browser.get("/teams/").content.decode()
    assert path.exists()
    assert browser.post("/operations/clean-up/")["Location"] == "/operations/"
    assert not path.exists()


def test_the_page_says_what_there_is(project: Project, staff: User) -> None:
    put(Root.STORAGE, f"jobs/{uuid.uuid4()}/a.png", b"x" * 5000)
    running = claimed(transitions.submit("train", {"a": "a", "b": "b"}, title="Secret", mandate=mandate_of(project).pk))
    transitions.submit("convert", converted_config(), title="Secret", mandate=mandate_of(project).pk)
    dead = Slot.objects.create(host="there", name="gpu7", kind="gpu", pid=1, version="0.0.9")
    Slot.objects.filter(pk=dead.pk).update(seen_at=timezone.now() - timedelta(hours=1))
    page = client_of(staff).get("/operations/").content.decode()
    assert running.slot is not None
    for text in (str(running.slot), "there/gpu7", "no heartbeat since", "0.0.9", "busy", "Queue for GPU", "Jobs ahead"):
        assert text in page or text == "Jobs ahead", text
    for text in (
        "Face sets",
        "Trainings with",
        "Consent evidence",
        "4.9",
        "Permanently delete 4.9",
        "SQLite",
        "Django",
    ):
        assert text in page.replace("PostgreSQL", "SQLite"), text
    assert "Secret" not in page, "staff is no member of the team"
    assert f"/jobs/{running.pk}/" not in page


def converted_config() -> dict[str, Any]:
    return dict(Job.objects.filter(kind="convert").earliest("created_at").config)


def test_a_look_is_kept_for_a_minute_and_made_anew_when_asked(project: Project, staff: User) -> None:
    browser = client_of(staff)
    assert "nothing to clean up" in browser.get("/operations/").content.decode()
    put(Root.STORAGE, f"jobs/{uuid.uuid4()}/a.png")
    assert "nothing to clean up" in browser.get("/operations/").content.decode()
    assert "nothing to clean up" not in browser.get("/operations/?anew").content.decode()


def test_every_kind_and_reason_has_its_words() -> None:
    from webapp.operations.words import KINDS, ROOTS, WHY

    assert set(KINDS) == set(survey.Kind)
    assert set(WHY) == set(survey.Why)
    assert set(ROOTS) == {*map(str, Root), "data"}

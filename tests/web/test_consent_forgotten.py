"""What a withdrawal leaves: no name anywhere, no key in any copy; and recordings that are sent again are known."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from django.core.checks import run_checks
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from faceengine.jobs import transitions
from faceengine.jobs.live import consumers
from faceengine.jobs.live.consumers import Close, RefusedError
from faceengine.jobs.models import Job
from tests.web.consents import mandate_of
from tests.web.footage import client_of, member, project_of, user
from tests.web.pdfs import signed_pdf
from webapp.accounts.models import User
from webapp.accounts.services import found_team
from webapp.consent import evidence, keys, links, services, statements, vault, withdrawal
from webapp.consent.answers import Answer, agree
from webapp.consent.errors import ConsentStepError
from webapp.consent.models import Consent, Evidence, PersonKey, Tombstone
from webapp.projects import audit, trail
from webapp.projects.mentions import Mentions
from webapp.projects.models import AuditEntry, Person, Project
from webapp.projects.services import create_project, record
from webapp.provenance.verifying import _consents
from webapp.removal.deletion import delete_project
from webapp.uploads.models import Asset

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture
def named(db: None) -> Project:
    """A project that is called by its two people."""
    owner = user("owner")
    return create_project(owner, found_team(owner, "Team"), "Quinn and Paula", a="Quinn", b="Paula Ångström")


def agreed(project: Project, side: str, name: str) -> tuple[Consent, str]:
    """A consent by a signed document, not reviewed yet, and the person's own token."""
    owner = User.objects.get(email="owner@example.org")
    consent = services.ask(project.people.get(side=side), owner, name=name)
    link = links.open_link(links.make_link(consent, owner))
    file = SimpleUploadedFile("signed.pdf", signed_pdf())
    own = agree(link, Answer(name, ["train", "swap"], "en", "pdf", file))
    consent.refresh_from_db()
    return consent, own


# ---- the statement ---------------------------------------------------------------------------------------------------


def test_the_person_reads_and_takes_along_what_they_agreed_to(named: Project) -> None:
    consent, own = agreed(named, "a", "Quinn Example")
    text = statements.statement(named, "en").text
    assert text.encode() not in bytes(consent.statement_text)
    Project.objects.filter(pk=named.pk).update(name="Something else")
    found = statements.agreed(consent)
    assert found is not None
    assert (found["text"], found["version"]) == (text, statements.VERSION)
    page = Client().get(f"/consent/withdraw/{own}/").content.decode()
    assert "&quot;Quinn and Paula&quot;" in page
    services.withdraw(consent)
    consent.refresh_from_db()
    assert bytes(consent.statement_text) == b""
    assert consent.statement_sha256
    assert "Quinn" not in Client().get(f"/consent/withdraw/{own}/").content.decode()


# ---- names -----------------------------------------------------------------------------------------------------------


def test_a_project_is_not_called_by_who_has_withdrawn(named: Project) -> None:
    quinn, _ = agreed(named, "a", "Quinn Example")
    paula, own = agreed(named, "b", "Paula Ångström")
    before = paula.statement_sha256
    kept = Asset.objects.create(person=named.people.get(side="b"), name="paula_with_QUINN.mp4", size=1, stored=1)
    services.withdraw(quinn)
    named.refresh_from_db()
    kept.refresh_from_db()
    paula.refresh_from_db()
    assert named.name == f"Project {named.pk}"
    assert kept.name == f"File {kept.pk}.mp4"
    assert (paula.name, paula.statement_sha256) == ("Paula Ångström", before)
    found = statements.agreed(paula)
    assert found is not None
    assert found["renamed"]
    assert f'"Project {named.pk}"' in found["text"]
    assert "Quinn" not in found["text"]
    shown = Client().get(f"/consent/withdraw/{own}/").content.decode()
    assert "contained the name of a person who has withdrawn" in shown
    owner = User.objects.get(email="owner@example.org")
    for address in ("/", f"/projects/{named.pk}/", f"/teams/{named.team_id}/trail/"):
        assert "Quinn" not in client_of(owner).get(address).content.decode(), address
    assert not audit.check(named.team_id)


@pytest.mark.parametrize(
    ("names", "text", "found"),
    [
        (["Quinn Example"], "quinn's film", True),
        (["Quinn"], "Berlin", False),
        (["Ann"], "Annual report", False),
        (["Anna"], "annavideo_2.mp4", True),
        (["José Pérez"], "JOSE-1.MOV", True),
        (["王小明"], "王小明和李华", True),
        ([""], "anything", False),
        (["A"], "a b c", False),
    ],
)
def test_who_is_mentioned(names: list[str], text: str, found: bool) -> None:
    assert Mentions(names).within(text) is found


SECRET = "quinn-private-clip.mp4"


def fields_of(verb: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", str(trail.WORDS[verb]))) | {"name"}


def test_no_action_of_the_audit_log_keeps_a_name(named: Project) -> None:
    """Each action there is, with a name in each of its fields; and one that somebody may add later."""
    owner = User.objects.get(email="owner@example.org")
    for verb in [*trail.WORDS, "something.new"]:
        if verb.startswith(("member.", "invitation.", "audit.")):
            continue  # of members, not of people in footage; ``manage.py audit_erase`` is for them
        fields = fields_of(verb) if verb in trail.WORDS else {"clip", "name"}
        data: dict[str, Any] = {field: SECRET for field in fields if field not in audit.NAMELESS}
        record(owner, verb, named.team, named, **data)
        record(owner, verb, named.team, named, **data | {"side": "a"})
        record(owner, verb, named.team, named, **data | {"side": "b"})
    consent, _ = agreed(named, "a", "Quinn")
    services.withdraw(consent)
    kept = "\n".join(audit.export(named.team_id)).casefold()
    assert "quinn" not in kept
    assert not audit.check(named.team_id)
    assert AuditEntry.objects.filter(verb="consent.withdrawn").latest("pk").data["side"] == "a"


def test_what_the_code_records_is_a_name_or_known_to_be_none() -> None:
    """Keys that are listed as nameless are those of the code's calls; a list that grows with names would hide them."""
    sources = [path.read_text() for path in (DEMO.parent / "webapp").rglob("*.py")]
    assert {"name", "before", "email", "run", "clip", "title", "file"}.isdisjoint(audit.NAMELESS)
    used = set(
        re.findall(r"(\w+)=", " ".join(re.findall(r"\brecord\(([^()]*(?:\([^()]*\)[^()]*)*)\)", " ".join(sources))))
    )
    assert used - audit.NAMELESS <= {"name", "before", "email", "run"}


def test_what_the_other_person_s_footage_is_called_stays(named: Project) -> None:
    owner = User.objects.get(email="owner@example.org")
    record(owner, "asset.uploaded", named.team, named, name="harbour.mp4", side="b")
    consent, _ = agreed(named, "a", "Quinn")
    services.withdraw(consent)
    assert AuditEntry.objects.get(verb="asset.uploaded").data["name"] == "harbour.mp4"


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_a_backup_of_database_and_files_is_of_no_use_after_a_withdrawal(
    named: Project, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    """With all that the attacker copied before, and today's master key."""
    consent, _ = agreed(named, "a", "Quinn")
    kept, person = consent.evidence.get(), consent.person
    assert person is not None
    copy = tmp_path / "backup"
    shutil.copytree(default_storage.path("consents"), copy)
    rows = list(PersonKey.objects.values())
    assert not any(isinstance(value, bytes | memoryview) for row in rows for value in row.values())
    assert b"".join(evidence.stream(kept))[:5] == b"%PDF-"
    with django_capture_on_commit_callbacks(execute=True):
        services.withdraw(consent)
    # The backup is put back.
    PersonKey.objects.all().delete()
    for row in rows:
        PersonKey.objects.create(**row)
    Evidence.objects.filter(pk=kept.pk).update(file=kept.file)
    shutil.copytree(copy, default_storage.path("consents"), dirs_exist_ok=True)
    kept.refresh_from_db()
    with pytest.raises(vault.VaultError, match="CONSENT_KEYS_DIR"):
        b"".join(evidence.stream(kept))


def test_a_key_whose_removal_was_cut_off_is_removed_later(named: Project, settings: Any) -> None:
    consent, _ = agreed(named, "a", "Quinn")
    person = consent.person
    assert person is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "destroy", lambda _name: (_ for _ in ()).throw(OSError("the disk is away")))
        services.withdraw(consent)
    with pytest.raises(vault.VaultError, match="destroyed"):
        vault.key_of(person)
    vault.finish_destroying()
    assert not any(Path(settings.CONSENT_KEYS_DIR).iterdir())
    assert PersonKey.objects.get().file == ""


def test_keys_go_with_their_project(named: Project, settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    agreed(named, "a", "Quinn")
    assert any(Path(settings.CONSENT_KEYS_DIR).iterdir())
    with django_capture_on_commit_callbacks(execute=True):
        delete_project(User.objects.get(email="owner@example.org"), named)
    assert not any(Path(settings.CONSENT_KEYS_DIR).iterdir())


def test_keys_are_for_the_studio_s_user_only(named: Project, settings: Any) -> None:
    vault.key_for(named.people.get(side="a"))
    folder = Path(settings.CONSENT_KEYS_DIR)
    assert folder.stat().st_mode & 0o077 == 0
    assert [path.stat().st_mode & 0o077 for path in folder.iterdir()] == [0]
    for name in ("../x", "", "a" * 31, "A" * 32):
        with pytest.raises(OSError, match="names no key"):
            keys.read(name)


@pytest.mark.parametrize(("inside", "code"), [("keys", "consent.E002"), (None, None)])
def test_the_check_tells_a_folder_that_backups_hold(
    settings: Any, tmp_path: Path, inside: str | None, code: str | None
) -> None:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    settings.CONSENT_KEYS_DIR = settings.DATA_DIR / inside if inside else tmp_path / "beside"
    found = {one.id for one in run_checks() if str(one.id).startswith("consent.E")}
    assert found == ({code} if code else set())


# ---- after it --------------------------------------------------------------------------------------------------------


def test_a_job_that_is_still_dying_is_shown_to_nobody(project: Project, owner: User) -> None:
    job = transitions.submit("train", {"a": "faces/a", "b": "faces/b"}, owner=owner, mandate=mandate_of(project).pk)
    Job.objects.filter(pk=job.pk).update(state="running")
    owner.is_staff = True
    owner.save()
    editor = member(project, "editor")
    for one in (owner, editor):
        assert client_of(one).get(f"/jobs/{job.pk}/").status_code == 200
    services.withdraw(Consent.objects.get(person__project=project, side="a"))
    assert Job.objects.filter(pk=job.pk).exists()
    assert Tombstone.objects.filter(thing=str(job.pk)).exists()
    for one in (owner, editor):
        assert client_of(one).get(f"/jobs/{job.pk}/").status_code == 404
    assert str(job.pk) not in client_of(editor).get("/jobs/").content.decode()
    with pytest.raises(RefusedError) as refused:  # as the WebSocket asks, when it is told to ask again
        consumers.admit(session_of(editor), job.pk)
    assert refused.value.close == Close.FORBIDDEN


def session_of(someone: User) -> str:
    return str(client_of(someone).session.session_key)


def test_consents_of_a_deleted_project_are_live_for_nobody(db: None) -> None:
    owner = user("owner")
    project = project_of(owner)
    named_in_file = [str(one.pk) for one in Consent.objects.filter(person__project=project)]
    reading = {
        "signature": {"state": "intact", "trust": "ours", "origin": {"consents": named_in_file}},
        "problem": "",
        "aigc": None,
    }
    assert {one["standing"] for one in _consents(reading)} == {"live"}
    delete_project(owner, project)
    assert {one["standing"] for one in _consents(reading)} == {"gone"}


# ---- recordings ------------------------------------------------------------------------------------------------------


def recording(folder: Path, name: str, *arguments: str, clip: str = "held_out_a.mp4", seconds: str = "5") -> bytes:
    source = ["-t", seconds, "-i", str(DEMO / clip), *arguments]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *source, str(folder / name)]
    subprocess.run(command, check=True)
    return (folder / name).read_bytes()


def send(consent: Consent, content: bytes) -> Evidence:
    return evidence.keep(consent, SimpleUploadedFile("recording.mp4", content), "upload")


@pytest.mark.timeout(900)  # four times two networks' programs, which take long where others work as well
def test_a_recording_proves_one_consent_only_whatever_is_done_to_it(
    tmp_path: Path, named: Project, django_capture_on_commit_callbacks: Any
) -> None:
    owner = User.objects.get(email="owner@example.org")
    small = ["-vf", "scale=320:240,fps=10"]
    original = recording(tmp_path, "original.mp4", *small)
    first = services.ask(named.people.get(side="a"), owner)
    kept = send(first, original)
    assert set(kept.fingerprint) == {"sound", "movement"}
    elsewhere = create_project(owner, named.team, "Other", a="Zoe").people.get(side="a")
    other = services.ask(elsewhere, owner)
    changed = ["-ss", "1", "-vf", "scale=280:210,fps=12", "-crf", "30", "-b:a", "48k"]
    again = recording(tmp_path, "again.mp4", *changed) + b"\0\0\0\x08free"
    with pytest.raises(ConsentStepError, match="evidence_known"):
        send(other, again)
    # The same sound and movement with another face: a reviewer must look, nobody is refused by a network.
    swapped = send(other, recording(tmp_path, "swapped.mp4", *small, clip="held_out_b.mp4"))
    assert swapped.facts["other_face"] is True
    evidence.forget(swapped)
    with django_capture_on_commit_callbacks(execute=True):
        services.withdraw(first)
    kept.refresh_from_db()
    assert set(kept.fingerprint) == {"sound"}
    with pytest.raises(ConsentStepError, match="evidence_known"):
        send(other, again)


def test_what_shows_nobody_who_speaks_is_refused(tmp_path: Path, named: Project) -> None:
    """How that is told is tested with the engine; here, that it is asked, and what the person is told to do."""
    consent = services.ask(named.people.get(side="a"), User.objects.get(email="owner@example.org"))
    card = ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=10:duration=5", "-map", "1:v", "-map", "0:a"]
    with pytest.raises(ConsentStepError, match="evidence_no_face") as refused:
        send(consent, recording(tmp_path, "no.mp4", *card))
    assert "Look into the camera" in refused.value.reason
    assert not Evidence.objects.exists()


def test_names_are_looked_for_before_they_are_emptied(named: Project) -> None:
    consent, _ = agreed(named, "a", "Quinn Example")
    mentions = withdrawal.mentions_of(Person.objects.get(pk=consent.person_id))
    assert mentions.within("example.mp4")
    assert mentions.within("Quinn")

"""The person's own pages: agreeing by a link, once; evidence that is none; withdrawing; what is held about them."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from tests.web.consents import consent_of, look_at, reviewed
from tests.web.footage import member, user
from tests.web.pdfs import SCRIPT, pdf, signed_pdf
from webapp.accounts.models import User
from webapp.accounts.proofs import prove_by_mail
from webapp.accounts.services import found_team
from webapp.consent import evidence, links, services, vault
from webapp.consent.answers import Answer, agree
from webapp.consent.errors import ConsentError, ConsentStepError
from webapp.consent.gate import Act, require_consent
from webapp.consent.models import Consent, ConsentLink, Evidence, PersonKey, Standing
from webapp.consent.statements import statement
from webapp.projects.models import AuditEntry, Project
from webapp.projects.services import create_project
from webapp.uploads.models import Asset

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds of somebody who speaks, as a browser records them."""
    path = tmp_path_factory.mktemp("clip") / "recording.webm"
    source = ["-t", "4", "-i", str(DEMO / "held_out_a.mp4"), "-vf", "scale=320:240,fps=10"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *source, "-c:v", "libvpx", "-b:v", "500k"]
    subprocess.run([*command, "-c:a", "libopus", str(path)], check=True)
    return path.read_bytes()


@pytest.fixture
def consent(db: None) -> Consent:
    owner = user("owner")
    project = create_project(owner, found_team(owner, "Studio North"), "Night Train", a="Anna", b="Bruno")
    return services.ask(project.people.get(side="a"), owner)


@pytest.fixture
def token(consent: Consent) -> str:
    assert consent.asked_by is not None
    return links.make_link(consent, consent.asked_by)


def page_of(token: str, client: Client | None = None) -> Any:
    return (client or Client()).get(f"/consent/{token}/")


def sent(
    token: str, content: bytes, filename: str = "recording.webm", client: Client | None = None, **said: Any
) -> Any:
    """The form, filled in as the page asks."""
    browser = client or Client()
    shown = page_of(token, browser).content.decode()
    known = {
        "statement": "en",
        "phrase": re.search(r'name="phrase" value="([^"]*)"', shown)[1],  # type: ignore[index]
        "seen": re.search(r'name="seen" value="([^"]*)"', shown)[1],  # type: ignore[index]
        "purposes": ["train", "swap"],
        "name": "Anna Example",
        "way": "webcam",
        "agreed": "on",
    } | said
    known |= {"recorded": "yes"} if known["way"] == "webcam" and "recorded" not in said else {}
    field = "recording" if known["way"] == "webcam" else "file"
    return browser.post(f"/consent/{token}/", known | {field: SimpleUploadedFile(filename, content)})


def own_token(answer: Any) -> str:
    return re.search(r"/consent/withdraw/([\w-]+)/", answer.content.decode())[1]  # type: ignore[index]


def test_somebody_agrees_without_an_account(consent: Consent, token: str, clip: bytes) -> None:
    shown = page_of(token)
    assert "Studio North" in shown.content.decode()
    assert "Night Train" in shown.content.decode()
    assert shown["Permissions-Policy"] == "camera=(self), microphone=(self)"
    assert "media-src 'self' blob:" in shown["Content-Security-Policy"]
    assert "no-store" in shown["Cache-Control"]
    assert shown["Referrer-Policy"] == "same-origin"
    answer = sent(token, clip)
    assert answer.status_code == 200, answer.content.decode()
    consent.refresh_from_db()
    assert consent.standing == Standing.WAITING
    assert (consent.way, consent.name, consent.purposes) == ("webcam", "Anna Example", ["train", "swap"])
    assert consent.person is not None
    assert consent.statement_sha256 == statement(consent.person.project, "en").sha256
    kept = consent.evidence.get()
    assert kept.kind == "video"
    assert kept.phrase
    assert kept.facts["width"] == 320
    assert own_token(answer)
    assert consent.withdraw_hash


def test_nothing_is_ticked_for_anybody(token: str) -> None:
    assert " checked" not in page_of(token).content.decode().split('name="purposes"', 1)[1].split("</fieldset>")[0]
    again = sent(token, b"", purposes=["swap"]).content.decode()
    assert 'value="swap" checked' in again
    assert 'value="train" checked' not in again


def test_evidence_lies_encrypted_and_can_be_read_again(consent: Consent, token: str, clip: bytes) -> None:
    sent(token, clip)
    kept = consent.evidence.get()
    with default_storage.open(kept.file) as file:
        assert b"ftyp" not in file.read()
    with evidence.open_evidence(consent) as path:
        assert path is not None
        assert path.read_bytes()[4:8] == b"ftyp"
        assert path.stat().st_size == kept.size
    assert not path.exists()


def test_a_link_works_once(token: str) -> None:
    assert sent(token, signed_pdf(), filename="signed.pdf", way="pdf").status_code == 200
    again = page_of(token)
    assert again.status_code == 410
    assert "already used" in again.content.decode()


def test_of_two_answers_at_once_one_is_too_late(consent: Consent, token: str) -> None:
    first, second = links.open_link(token), links.open_link(token)
    said = {"name": "Anna", "purposes": ["train"], "language": "en", "way": "upload"}
    agree(first, Answer(file=SimpleUploadedFile("a.pdf", pdf()), **said))
    with pytest.raises(ConsentStepError, match="link_used"):
        agree(second, Answer(file=SimpleUploadedFile("b.pdf", pdf()), **said))
    assert Evidence.objects.count() == 1
    assert len(default_storage.listdir("consents")[1]) >= 1


def test_links_end(consent: Consent, token: str) -> None:
    assert page_of("nobody-made-this").status_code == 404
    assert consent.asked_by is not None
    newer = links.make_link(consent, consent.asked_by)
    assert page_of(token).status_code == 410
    assert page_of(newer).status_code == 200
    ConsentLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert page_of(newer).status_code == 410


def test_only_the_last_phrase_counts_and_not_for_long(token: str, clip: bytes) -> None:
    old = re.search(r'name="phrase" value="([^"]*)"', page_of(token).content.decode())[1]  # type: ignore[index]
    answer = sent(token, clip, phrase=old)
    assert answer.status_code == 409
    assert "phrase" in answer.content.decode()
    link = links.open_link(token)
    current = links.challenge(link, "en")
    link.phrase_until = timezone.now() - timedelta(seconds=1)
    with pytest.raises(ConsentStepError, match="phrase"):
        links.check_phrase(link, current)
    with pytest.raises(ConsentStepError, match="phrase"):
        links.check_phrase(ConsentLink(), "")
    assert not Evidence.objects.exists()


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"name": " "}, "Enter your name"),
        ({"agreed": ""}, "tick that you agree"),
        ({"purposes": []}, "at least one use"),
        ({"purposes": ["train", "anything"]}, "at least one use"),
    ],
)
def test_what_is_not_said_is_asked_again(token: str, said: dict[str, Any], problem: str) -> None:
    answer = sent(token, b"x", **said)
    assert answer.status_code == 409
    assert problem in answer.content.decode()


@pytest.mark.parametrize(
    ("content", "way", "problem"),
    [
        (b"", "webcam", "empty"),
        (b"ffconcat version 1.0\nfile 'neighbour.mp4'\n", "webcam", "neither a video"),
        (b"<html><script>alert(1)</script>", "upload", "neither a video"),
        (b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 40, "webcam", "damaged"),
        (pdf(), "webcam", "neither a video"),
        (pdf(SCRIPT), "upload", "contains scripts"),
        (pdf(b"/Names << /EmbeddedFiles 2 0 R >> "), "upload", "contains scripts"),
        (b"%PDF-1.7 nothing else", "upload", "read"),
        (pdf(), "pdf", "no valid digital signature"),
        (signed_pdf().replace(b"200 200", b"300 300"), "pdf", "no valid digital signature"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "pdf", "not a PDF"),
    ],
)
def test_evidence_that_is_none(token: str, content: bytes, way: str, problem: str) -> None:
    answer = sent(token, content, filename="evidence", way=way)
    assert problem in answer.content.decode()
    assert answer.status_code == 409
    assert not Evidence.objects.exists()
    assert page_of(token).status_code == 200  # it can be sent again


def test_a_signed_document(consent: Consent, token: str) -> None:
    assert sent(token, signed_pdf(), filename="signed.pdf", way="pdf").status_code == 200
    (signature,) = consent.evidence.get().facts["signatures"]
    assert signature == {"by": "Common Name: Anna Example", "intact": True, "whole": True, "trusted": False}


def test_an_address_that_asks_too_often_waits(token: str) -> None:
    for _ in range(60):
        page_of(token)
    assert page_of(token).status_code == 429


def live(consent: Consent, token: str) -> str:
    """The consent, accepted by a second member; the person's own token."""
    own = own_token(sent(token, signed_pdf(), filename="signed.pdf", way="pdf"))
    consent.refresh_from_db()
    assert consent.person is not None
    reviewed(consent, member(consent.person.project, "editor"))
    return own


def test_the_person_withdraws_and_the_key_is_gone(
    consent: Consent, token: str, django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    own = live(consent, token)
    kept = consent.evidence.get()
    address = f"/consent/withdraw/{own}/"
    shown = Client().get(address)
    assert "active" in shown.content.decode()
    assert "Night Train" in shown.content.decode()
    for _ in range(2):  # again, it stays withdrawn
        with django_capture_on_commit_callbacks(execute=True):
            assert Client().post(address).status_code == 302
        assert "Withdrawn on" in Client().get(address).content.decode()
    consent.refresh_from_db()
    assert consent.standing == Standing.WITHDRAWN
    assert consent.name == ""
    assert not default_storage.exists(kept.file)
    key = PersonKey.objects.get()
    assert key.file == ""
    assert key.destroyed_at
    assert not any(Path(settings.CONSENT_KEYS_DIR).iterdir())
    kept.refresh_from_db()
    assert (kept.file, kept.facts) == ("", {})
    assert kept.sha256


def test_withdrawn_while_somebody_reviews(consent: Consent, token: str) -> None:
    own = own_token(sent(token, signed_pdf(), filename="signed.pdf", way="pdf"))
    assert consent.person is not None
    editor = member(consent.person.project, "editor")
    prove_by_mail(editor)
    consent.refresh_from_db()
    look_at(consent, editor)
    Client().post(f"/consent/withdraw/{own}/")
    with pytest.raises(ConsentStepError, match=r"consent\.closed"):
        services.review(consent, editor, accept=True)


def test_what_is_held_about_the_person(consent: Consent, token: str) -> None:
    own = live(consent, token)
    answer = Client().get(f"/consent/withdraw/{own}/data.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as whole:
        said = json.loads(whole.read("data.json"))
        kept = consent.evidence.get()
        assert whole.read(f"{kept.pk}.pdf")[:5] == b"%PDF-"
    assert said["standing"] == "live"
    assert said["consent"]["name"] == "Anna Example"
    assert said["evidence"][0]["sha256"] == kept.sha256
    assert "password" not in json.dumps(said)
    assert Client().get("/consent/withdraw/nobody/data.zip").status_code == 404


def test_every_text_is_there_in_every_language() -> None:
    from webapp.consent import statements

    texts = Path(statements.__file__).parent / "texts"
    versions = {path.name.split(".")[0] for path in texts.glob("*.txt")}
    assert statements.VERSION in versions
    for version in versions:
        for language in statements.LANGUAGES:
            assert "{project}" in (texts / f"{version}.{language}.txt").read_text()


def test_who_withdrew_can_agree_anew(consent: Consent, token: str, django_capture_on_commit_callbacks: Any) -> None:
    own = live(consent, token)
    with django_capture_on_commit_callbacks(execute=True):
        Client().post(f"/consent/withdraw/{own}/")
    person, by = consent.person, consent.asked_by
    assert person is not None
    assert by is not None
    anew = services.ask(person, by, name="Anna Anew")
    newer = own_token(sent(links.make_link(anew, by), signed_pdf(), filename="signed.pdf", way="pdf"))
    assert b"".join(evidence.stream(anew.evidence.get()))[:5] == b"%PDF-"
    with zipfile.ZipFile(io.BytesIO(Client().get(f"/consent/withdraw/{newer}/data.zip").content)) as whole:
        assert json.loads(whole.read("data.json"))["consent"]["name"] == "Anna Example"


def test_a_withdrawn_link_tells_nothing_of_who_came_after(consent: Consent, token: str) -> None:
    own = live(consent, token)
    Consent.objects.filter(pk=consent.pk).update(refused_why="Anna looks tired")
    Client().post(f"/consent/withdraw/{own}/")
    assert consent.person is not None
    Asset.objects.create(person=consent.person, name="of-another-person.mp4", kind="video", size=1, stored=1)
    with zipfile.ZipFile(io.BytesIO(Client().get(f"/consent/withdraw/{own}/data.zip").content)) as whole:
        said = whole.read("data.json").decode()
        assert whole.namelist() == ["data.json"]
    assert "of-another-person" not in said
    assert "Anna" not in said
    assert not {"files", "faces", "models", "results"} & set(json.loads(said))


def test_the_person_s_copy_is_in_the_trail_and_says_what_the_phrase_was(
    consent: Consent, token: str, clip: bytes
) -> None:
    own = own_token(sent(token, clip))
    with zipfile.ZipFile(io.BytesIO(Client().get(f"/consent/withdraw/{own}/data.zip").content)) as whole:
        (kept,) = json.loads(whole.read("data.json"))["evidence"]
    assert kept["phrase"] == consent.evidence.get().phrase
    assert kept["facts"]["width"] == 320
    assert kept["compared_with_footage"] is True
    assert AuditEntry.objects.filter(verb="consent.data_taken", data__consent=str(consent.pk)).exists()


def test_a_copy_can_be_had_when_a_file_is_lost(consent: Consent, token: str) -> None:
    own = live(consent, token)
    kept = consent.evidence.get()
    default_storage.delete(kept.file)
    with zipfile.ZipFile(io.BytesIO(Client().get(f"/consent/withdraw/{own}/data.zip").content)) as whole:
        assert set(whole.namelist()) == {"data.json", f"{kept.pk}.txt"}


def another(consent: Consent, name: str) -> tuple[Consent, str]:
    """A consent in another team, and the token of its link."""
    owner = user(name)
    project = create_project(owner, found_team(owner, "Elsewhere"), "Other", a="Zoe")
    asked = services.ask(project.people.get(side="a"), owner)
    return asked, links.make_link(asked, owner)


def test_what_was_evidence_once_is_none_of_another_consent(consent: Consent, token: str, clip: bytes) -> None:
    own = own_token(sent(token, clip))
    downloaded = b"".join(evidence.stream(consent.evidence.get()))
    Client().post(f"/consent/withdraw/{own}/")
    other, link = another(consent, "other-owner")
    for content in (clip, downloaded):
        answer = sent(link, content, way="upload")
        assert answer.status_code == 409
        assert "sent for another consent" in answer.content.decode()
    assert not other.evidence.exists()


def test_a_text_that_changed_meanwhile_is_read_again(consent: Consent, token: str, clip: bytes) -> None:
    assert consent.person is not None
    before = statement(consent.person.project, "en").sha256
    Project.objects.filter(people=consent.person).update(name="Something else")
    for seen in (before, ""):
        answer = sent(token, clip, seen=seen)
        assert answer.status_code == 409
        assert "statement has changed" in answer.content.decode()
    assert sent(token, signed_pdf(), filename="signed.pdf", way="pdf").status_code == 200


def test_without_the_master_key_nothing_is_taken(consent: Consent, token: str, settings: Any) -> None:
    assert consent.person is not None
    vault.key_for(consent.person)
    for wrong in (base64.b64encode(bytes(32)).decode(), "no key"):
        settings.CONSENT_MASTER_KEY = wrong
        answer = sent(token, signed_pdf(), filename="signed.pdf", way="pdf")
        assert answer.status_code == 409
        assert "store data securely" in answer.content.decode()
    assert not Evidence.objects.exists()
    assert page_of(token).status_code == 200


def test_an_answer_that_fails_leaves_no_evidence(consent: Consent, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the database is away")

    before = set(default_storage.listdir("consents")[1]) if default_storage.exists("consents") else set()
    monkeypatch.setattr(services, "give", broken)
    answer = Answer(
        name="Anna", purposes=["train"], language="en", way="upload", file=SimpleUploadedFile("a.pdf", pdf())
    )
    with pytest.raises(RuntimeError):
        agree(links.open_link(token), answer)
    assert not Evidence.objects.exists()
    assert set(default_storage.listdir("consents")[1]) == before
    assert page_of(token).status_code == 200


def test_what_a_killed_program_left_in_plain_is_cleared_up(
    consent: Consent, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, fresh = tmp_path / "evidence-left", tmp_path / "evidence-fresh"
    for folder in (left, fresh):
        folder.mkdir()
        (folder / "arrived").write_bytes(b"somebody's face")
    os.utime(left, (1, 1))
    assert sent(token, signed_pdf(), filename="signed.pdf", way="pdf").status_code == 200
    assert [path.name for path in tmp_path.glob("evidence-*")] == ["evidence-fresh"]


def test_a_link_ends_by_the_database_s_clock(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A web server whose clock is a year behind doesn't open old links again."""
    ConsentLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    behind = timezone.now() - timedelta(days=365)
    monkeypatch.setattr(timezone, "now", lambda: behind)
    with pytest.raises(ConsentStepError, match="link_expired"):
        links.open_link(token)


def test_people_behind_one_proxy_do_not_wait_for_each_other(token: str, settings: Any) -> None:
    settings.PROXIES = 1
    for number in range(70):
        client = Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})
        assert page_of(token, client).status_code == 200


def test_the_newest_consent_is_the_one_that_counts(consent: Consent, token: str) -> None:
    """Who leaves a use out when they agree again has not agreed to it any more."""
    live(consent, token)
    person, by = consent.person, consent.asked_by
    assert person is not None
    assert by is not None
    other = consent_of(person.project.people.get(side="b"))
    assert other is not None
    assert require_consent(person.project, Act.CONVERT)
    anew = services.ask(person, by, name="Anna")
    said = {"purposes": ["train"], "filename": "signed.pdf", "way": "pdf"}
    assert sent(links.make_link(anew, by), signed_pdf(), **said).status_code == 200
    assert require_consent(person.project, Act.CONVERT)  # not reviewed yet
    anew.refresh_from_db()
    reviewed(anew, User.objects.get(email__startswith="a-editor"))
    assert require_consent(person.project, Act.TRAIN).consent_a == anew
    with pytest.raises(ConsentError, match="swapping"):
        require_consent(person.project, Act.CONVERT)

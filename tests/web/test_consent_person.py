"""The team's page of a person's consent: who may ask, hand in, review, look at evidence, and withdraw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.web.consents import consent_of
from tests.web.footage import client_of, member, people, user
from tests.web.pdfs import pdf, signed_pdf
from webapp.accounts.models import Membership, User
from webapp.accounts.proofs import prove_by_mail
from webapp.accounts.services import found_team
from webapp.consent import links, services
from webapp.consent.answers import Answer, agree
from webapp.consent.evidence import keep
from webapp.consent.models import Consent, Standing
from webapp.projects.models import AuditEntry, Person, Project
from webapp.projects.services import create_project

ASKED = {"name": "Anna Example", "email": "anna@example.org", "purposes": ["train", "swap", "deliver"]}


@pytest.fixture
def project(db: None) -> Project:
    owner = user("owner")
    return create_project(owner, found_team(owner, "Team"), "Project", a="Anna", b="Bruno")


@pytest.fixture
def person(project: Project) -> Person:
    return project.people.get(side="a")


@pytest.fixture
def visitors(project: Project) -> dict[str, User | None]:
    found = people(project)
    for one in found.values():
        if one is not None:
            prove_by_mail(one)
    return found


def page(person: Person) -> str:
    return f"/projects/{person.project_id}/{person.side}/consent/"


def asked(person: Person, by: User) -> Consent:
    return services.ask(person, by)


def waiting(person: Person, by: User) -> Consent:
    """A document was handed in by whoever asked."""
    consent = asked(person, by)
    file = SimpleUploadedFile("signed.pdf", signed_pdf())
    client_of(by).post(f"/consents/{consent.pk}/hand-in/", {"name": "Anna", "way": "pdf", "file": file})
    consent.refresh_from_db()
    assert consent.standing == Standing.WAITING
    return consent


def look(consent: Consent, reviewer: User | None) -> None:
    for kept in consent.evidence.all():
        assert client_of(reviewer).get(f"/consents/evidence/{kept.pk}/").status_code == 200


def codes(visitors: dict[str, User | None], method: str, address: str, **said: Any) -> dict[str, int]:
    return {name: getattr(client_of(one), method)(address, said).status_code for name, one in visitors.items()}


SEEN = {"owner": 200, "editor": 200, "reviewer": 200, "viewer": 200, "stranger": 404, "anonymous": 302}
EDITS = SEEN | {"reviewer": 403, "viewer": 403}


@pytest.mark.parametrize("standing", ["none", "asked", "waiting", "live", "refused", "expired", "withdrawn"])
def test_the_page_at_every_standing(person: Person, visitors: dict[str, User | None], standing: str) -> None:
    consent_of(person, standing)
    assert codes(visitors, "get", page(person)) == SEEN
    client = client_of(visitors["owner"])
    with CaptureQueriesContext(connection) as asked_for:
        shown = client.get(page(person)).content.decode()
    assert len(asked_for) <= 10, [one["sql"][:150] for one in asked_for]
    may_ask = standing not in ("asked", "waiting", "live")
    assert ("Create consent link" in shown) == may_ask


def test_who_may_ask(person: Person, visitors: dict[str, User | None]) -> None:
    for name, code in EDITS.items():
        answer = client_of(visitors[name]).post(f"{page(person)}ask/", ASKED)
        assert answer.status_code == code, name
        Consent.objects.all().delete()


def test_asking_gives_a_link_once(person: Person, visitors: dict[str, User | None]) -> None:
    client = client_of(visitors["editor"])
    shown = client.post(f"{page(person)}ask/", ASKED).content.decode()
    assert "/consent/" in shown
    consent = Consent.objects.get()
    assert (consent.name, consent.email, consent.asked_by) == ("Anna Example", "anna@example.org", visitors["editor"])
    assert "http://testserver/consent/" not in client.get(page(person)).content.decode()
    # Nobody is asked twice.
    assert client.post(f"{page(person)}ask/", ASKED).status_code == 302
    assert Consent.objects.count() == 1


def test_what_is_asked_wrongly_is_said(person: Person, visitors: dict[str, User | None]) -> None:
    shown = client_of(visitors["owner"]).post(f"{page(person)}ask/", {"name": "", "purposes": ["anything"]})
    assert shown.status_code == 200
    assert not Consent.objects.exists()
    assert "anything" in shown.content.decode()


def test_another_link(person: Person, visitors: dict[str, User | None]) -> None:
    assert visitors["owner"] is not None
    consent = asked(person, visitors["owner"])
    assert codes(visitors, "post", f"/consents/{consent.pk}/link/") == EDITS


def test_handing_in_never_shows_the_person_s_own_link(person: Person, visitors: dict[str, User | None]) -> None:
    assert visitors["owner"] is not None
    consent = asked(person, visitors["owner"])
    for name in ("reviewer", "viewer", "stranger", "anonymous"):
        assert client_of(visitors[name]).post(f"/consents/{consent.pk}/hand-in/").status_code == EDITS[name]
    said = {"name": "Anna", "way": "upload", "file": SimpleUploadedFile("scan.pdf", pdf())}
    shown = client_of(visitors["owner"]).post(f"/consents/{consent.pk}/hand-in/", said)
    assert "/consent/withdraw/" not in shown.content.decode()
    assert "/consent/own/" in shown.content.decode()
    consent.refresh_from_db()
    assert (consent.standing, consent.way) == (Standing.WAITING, "upload")


@pytest.mark.parametrize("file", [None, SimpleUploadedFile("x.mp4", b"text"), SimpleUploadedFile("x.pdf", b"%PDF-")])
def test_handing_in_what_is_no_evidence(person: Person, visitors: dict[str, User | None], file: Any) -> None:
    assert visitors["owner"] is not None
    consent = asked(person, visitors["owner"])
    said = {"name": "Anna", "way": "upload"} | ({"file": file} if file else {})
    answer = client_of(visitors["owner"]).post(f"/consents/{consent.pk}/hand-in/", said, follow=True)
    assert "note error" in answer.content.decode()
    consent.refresh_from_db()
    assert consent.standing == Standing.ASKED


def test_four_eyes(person: Person, visitors: dict[str, User | None]) -> None:
    assert visitors["owner"] is not None
    consent = waiting(person, visitors["owner"])
    address = f"/consents/{consent.pk}/review/"
    assert "Another member" in client_of(visitors["owner"]).get(page(person)).content.decode()
    expected = {"owner": 403, "reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 302}
    for name, code in expected.items():
        assert client_of(visitors[name]).post(address, {"accept": "yes"}).status_code == code, name
    consent.refresh_from_db()
    assert consent.standing == Standing.WAITING
    look(consent, visitors["editor"])
    assert client_of(visitors["editor"]).post(address, {"accept": "yes"}).status_code == 302
    consent.refresh_from_db()
    assert (consent.standing, consent.reviewed_by) == (Standing.LIVE, visitors["editor"])
    # Decided is decided.
    answer = client_of(visitors["editor"]).post(address, {"accept": "no", "sure": "yes", "why": "No."})
    assert answer.status_code == 409
    assert "already decided" in answer.content.decode()
    consent.refresh_from_db()
    assert consent.standing == Standing.LIVE


def test_refused_with_its_reason(person: Person, visitors: dict[str, User | None]) -> None:
    assert visitors["editor"] is not None
    consent = waiting(person, visitors["editor"])
    look(consent, visitors["owner"])
    said = {"accept": "no", "why": "The name does not fit.", "sure": "yes"}
    client_of(visitors["owner"]).post(f"/consents/{consent.pk}/review/", said)
    assert "The name does not fit." in client_of(visitors["viewer"]).get(page(person)).content.decode()


def test_somebody_alone_is_told_to_invite(project: Project, person: Person) -> None:
    owner = User.objects.get(memberships__team=project.team)
    waiting(person, owner)
    assert "No member of the team can review it yet" in client_of(owner).get(page(person)).content.decode()
    second = member(project, "editor")
    assert "No member of the team can review it yet" in client_of(owner).get(page(person)).content.decode()
    prove_by_mail(second)
    shown = client_of(owner).get(page(person)).content.decode()
    assert "No member of the team can review it yet" not in shown
    assert "Members who can review it: a-editor@example.org." in " ".join(shown.split())


def test_evidence_is_for_reviewers_and_every_look_is_noted(person: Person, visitors: dict[str, User | None]) -> None:
    assert visitors["owner"] is not None
    kept = waiting(person, visitors["owner"]).evidence.get()
    assert codes(visitors, "get", f"/consents/evidence/{kept.pk}/") == EDITS
    assert AuditEntry.objects.filter(verb="consent.evidence_seen").count() == 2
    shown = client_of(visitors["owner"]).get(f"/consents/evidence/{kept.pk}/")
    assert b"".join(shown.streaming_content)[:5] == b"%PDF-"  # type: ignore[attr-defined]
    assert shown["Content-Disposition"] == 'attachment; filename="evidence.pdf"'
    assert "sandbox" in shown["Content-Security-Policy"]
    assert "no-store" in shown["Cache-Control"]
    for name in ("reviewer", "viewer"):
        assert "evidence/" not in client_of(visitors[name]).get(page(person)).content.decode()


def test_an_owner_withdraws_for_the_person(person: Person, visitors: dict[str, User | None]) -> None:
    consent = consent_of(person, "live")
    assert consent is not None
    address = f"/consents/{consent.pk}/withdraw/"
    expected = {"editor": 403, "reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 302}
    for name, code in expected.items():
        assert client_of(visitors[name]).post(address).status_code == code, name
    assert client_of(visitors["owner"]).post(address).status_code == 302
    consent.refresh_from_db()
    assert consent.standing == Standing.WITHDRAWN


def test_the_statement_to_print(project: Project, visitors: dict[str, User | None]) -> None:
    assert codes(visitors, "get", f"/projects/{project.pk}/statement/") == SEEN
    shown = client_of(visitors["viewer"]).get(
        f"/projects/{project.pk}/statement/", headers={"Accept-Language": "zh-CN"}
    )
    assert "我同意" in shown.content.decode()


def test_whoever_had_the_link_or_the_file_can_t_review(person: Person, visitors: dict[str, User | None]) -> None:
    """One member asks, another makes a link of their own or hands in a file: that one could answer, and not review."""
    owner, editor = visitors["owner"], visitors["editor"]
    assert owner is not None
    assert editor is not None
    third = user("third")
    Membership.objects.create(team=person.project.team, user=third, role="editor")
    prove_by_mail(third)
    handed, linked = waiting_by(person, owner, editor), asked(person.project.people.get(side="b"), owner)
    client_of(editor).post(f"/consents/{linked.pk}/link/")
    assert AuditEntry.objects.get(verb="consent.link_made").actor == editor
    link = linked.links.get(used_at=None, expires_at__gt=timezone.now())
    agree(link, Answer("Bruno", ["train"], "en", "upload", SimpleUploadedFile("b.pdf", pdf(b"/B 1 "))))
    for consent in (handed, linked):
        address = f"/consents/{consent.pk}/review/"
        for one in (owner, editor):  # the first one asked
            assert client_of(one).post(address, {"accept": "yes"}).status_code == 403
        assert "Members who can review it: third@example.org." in " ".join(
            client_of(editor).get(page_of(consent)).content.decode().split()
        )
        look(consent, third)
        assert client_of(third).post(address, {"accept": "yes"}).status_code == 302
        consent.refresh_from_db()
        assert (consent.asked_by, consent.reviewed_by) == (editor, third)


def waiting_by(person: Person, asks: User, hands_in: User) -> Consent:
    consent = asked(person, asks)
    file = SimpleUploadedFile("signed.pdf", signed_pdf())
    client_of(hands_in).post(f"/consents/{consent.pk}/hand-in/", {"name": "Anna", "way": "pdf", "file": file})
    consent.refresh_from_db()
    return consent


def page_of(consent: Consent) -> str:
    assert consent.person is not None
    return page(consent.person)


def test_nobody_takes_over_what_is_given(person: Person, visitors: dict[str, User | None]) -> None:
    owner, editor = visitors["owner"], visitors["editor"]
    assert owner is not None
    consent = waiting(person, owner)
    for step in ("link", "take-back"):
        answer = client_of(editor).post(f"/consents/{consent.pk}/{step}/", follow=True)
        assert "already decided" in answer.content.decode()
    consent.refresh_from_db()
    assert consent.asked_by == owner


def test_a_question_is_taken_back(person: Person, visitors: dict[str, User | None]) -> None:
    owner = visitors["owner"]
    assert owner is not None
    for name, code in EDITS.items():
        consent = services.ask(person, owner, email="anna@example.org")
        token = links.make_link(consent, owner)
        assert f"{consent.pk}/take-back/" in client_of(owner).get(page(person)).content.decode()
        answer = client_of(visitors[name]).post(f"/consents/{consent.pk}/take-back/")
        assert answer.status_code == (302 if code == 200 else code), name
        assert Consent.objects.filter(pk=consent.pk).exists() == (code != 200)
        assert client_of(None).get(f"/consent/{token}/").status_code == (404 if code == 200 else 200)
        Consent.objects.all().delete()
    assert AuditEntry.objects.filter(verb="consent.taken_back").count() == 2
    assert "Create consent link" in client_of(owner).get(page(person)).content.decode()


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_damaged_evidence_is_not_handed_out(person: Person, visitors: dict[str, User | None], damage: str) -> None:
    assert visitors["owner"] is not None
    kept = waiting(person, visitors["owner"]).evidence.get()
    path = Path(default_storage.path(kept.file))
    if damage == "gone":
        path.unlink()
    else:
        box = bytearray(path.read_bytes())
        box[40] ^= 1
        path.write_bytes(box)
    assert client_of(visitors["owner"]).get(f"/consents/evidence/{kept.pk}/").status_code == 404
    assert not AuditEntry.objects.filter(verb="consent.evidence_seen").exists()


def test_evidence_of_an_answer_that_was_cut_off_is_shown_to_nobody(
    person: Person, visitors: dict[str, User | None]
) -> None:
    owner = visitors["owner"]
    assert owner is not None
    consent = asked(person, owner)
    keep(consent, SimpleUploadedFile("a.pdf", pdf(b"/C 1 ")), "upload")
    assert "evidence/" not in client_of(owner).get(page(person)).content.decode()
    client_of(owner).post(f"/consents/{consent.pk}/take-back/")
    assert not Consent.objects.exists()


@pytest.mark.parametrize("standing", ["waiting", "refused", "expired", "live"])
def test_an_owner_can_withdraw_whatever_was_given(
    person: Person, visitors: dict[str, User | None], standing: str
) -> None:
    """Also when somebody was asked again since."""
    consent = consent_of(person, standing)
    assert consent is not None
    if standing != "waiting":
        assert visitors["owner"] is not None
        asked(person, visitors["owner"])
    assert f"/consents/{consent.pk}/withdraw/" in client_of(visitors["owner"]).get(page(person)).content.decode()
    assert "/withdraw/" not in client_of(visitors["editor"]).get(page(person)).content.decode()

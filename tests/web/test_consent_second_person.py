"""Four eyes are two people's, who have looked; a refusal says why; the way of agreeing is told by what came."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.web.consents import reviewed, with_document
from tests.web.footage import client_of, user
from tests.web.pdfs import pdf, signed_pdf
from webapp.accounts.models import Membership, User
from webapp.accounts.proofs import prove_by_mail, remember_inviter, vouch
from webapp.accounts.services import found_team
from webapp.consent import services
from webapp.consent.errors import ConsentStepError
from webapp.consent.evidence import forget_refused
from webapp.consent.models import Consent, Evidence, Standing, Way
from webapp.projects.models import AuditEntry, Project
from webapp.projects.services import create_project


@pytest.fixture
def owner(db: None) -> User:
    return user("owner")


@pytest.fixture
def project(owner: User) -> Project:
    return create_project(owner, found_team(owner, "Team"), "Project", a="Anna", b="Bruno")


@pytest.fixture
def consent(project: Project, owner: User) -> Consent:
    """Handed in by the owner, who asked."""
    consent = services.ask(project.people.get(side="a"), owner)
    hand_in(consent, owner, signed_pdf(), way="pdf")
    consent.refresh_from_db()
    return consent


def hand_in(consent: Consent, by: User, content: bytes, **said: str) -> Any:
    file = SimpleUploadedFile("signed.pdf", content)
    return client_of(by).post(f"/consents/{consent.pk}/hand-in/", {"name": "Anna", "file": file} | said)


def editor(project: Project, name: str = "second", *, proven: bool = True) -> User:
    made = user(name)
    Membership.objects.create(team=project.team, user=made, role="editor")
    if proven:
        prove_by_mail(made)
    return made


def decide(consent: Consent, by: User, **said: str) -> Any:
    return client_of(by).post(f"/consents/{consent.pk}/review/", {"accept": "yes"} | said)


def opened(consent: Consent, by: User) -> None:
    for kept in consent.evidence.all():
        assert client_of(by).get(f"/consents/evidence/{kept.pk}/").status_code == 200


def shown(consent: Consent, to: User) -> str:
    address = f"/projects/{consent.project_number}/{consent.side}/consent/"
    return " ".join(client_of(to).get(address).content.decode().split())


def standing(consent: Consent) -> str:
    consent.refresh_from_db()
    return consent.standing


# ---- the second person ---------------------------------------------------------------------------------------------


def test_a_second_account_of_the_same_person_can_t_review(project: Project, owner: User, consent: Consent) -> None:
    """The attack: invite an address that one has made up, open the link oneself, accept with that account."""
    own = editor(project, "made-up")
    remember_inviter(own, owner, project.team)
    opened(consent, own)
    assert decide(consent, own).status_code == 403
    assert standing(consent) == Standing.WAITING
    page = shown(consent, own)
    assert "traces back to an invitation" in page
    assert "No member of the team can review it yet" in page
    vouch(own, None)
    assert decide(consent, own).status_code == 302
    assert standing(consent) == Standing.LIVE


def test_who_was_invited_by_who_was_invited_can_t_either(project: Project, owner: User, consent: Consent) -> None:
    first, second = editor(project, "first"), editor(project, "then")
    remember_inviter(first, owner, project.team)
    remember_inviter(second, first, project.team)
    opened(consent, second)
    assert decide(consent, second).status_code == 403


def test_an_address_that_nobody_has_proven_does_not_count(project: Project, owner: User, consent: Consent) -> None:
    anybody = editor(project, proven=False)
    opened(consent, anybody)
    assert decide(consent, anybody).status_code == 403
    assert "not verified" in shown(consent, anybody)
    prove_by_mail(anybody)
    assert "Members who can review it: second@example.org." in shown(consent, owner)
    assert decide(consent, anybody).status_code == 302


def test_whoever_had_it_in_their_hands_once_can_t_review(project: Project, owner: User) -> None:
    """Also when another member has made a link, or asked, since."""
    prove_by_mail(owner)
    second, third = editor(project), editor(project, "third")
    consent = services.ask(project.people.get(side="b"), owner)
    client_of(second).post(f"/consents/{consent.pk}/link/")
    hand_in(consent, third, signed_pdf(), way="pdf")
    for one in (owner, second, third):
        opened(consent, one)
        assert decide(consent, one).status_code == 403
    fourth = editor(project, "fourth")
    remember_inviter(fourth, second, project.team)  # who made a link counts as who asked
    opened(consent, fourth)
    assert decide(consent, fourth).status_code == 403
    assert standing(consent) == Standing.WAITING


# ---- looking -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["yes", "no"])
def test_nothing_is_decided_before_the_evidence_was_seen(project: Project, consent: Consent, accept: str) -> None:
    second = editor(project)
    (kept,) = consent.evidence.all()
    said = {"accept": accept, "why": "No.", "sure": "yes"}
    client_of(second).head(f"/consents/evidence/{kept.pk}/")  # asks for nothing that could be seen
    answer = decide(consent, second, **said)
    assert answer.status_code == 409
    assert 'data-code="consent.not_seen"' in answer.content.decode()
    opened(consent, second)
    # Another file in its place is another file to look at.
    Evidence.objects.filter(pk=kept.pk).update(kept_sha256="0" * 64)
    assert decide(consent, second, **said).status_code == 409
    assert standing(consent) == Standing.WAITING
    opened(consent, second)
    assert decide(consent, second, **said).status_code == 302
    entry = AuditEntry.objects.filter(verb="consent.evidence_seen").latest("pk")
    assert entry.data["sha256"] == "0" * 64


def test_that_somebody_else_has_seen_it_does_not_count(project: Project, owner: User, consent: Consent) -> None:
    second = editor(project)
    opened(consent, owner)
    with pytest.raises(ConsentStepError, match="not_seen"):
        services.review(consent, second, accept=True)


def test_without_evidence_there_is_nothing_to_review(project: Project, owner: User) -> None:
    bare = services.ask(project.people.get(side="b"), owner)
    services.give(bare, Way.UPLOAD)
    with pytest.raises(ConsentStepError, match="no_evidence"):
        services.review(bare, editor(project), accept=True)


# ---- refusing ------------------------------------------------------------------------------------------------------


def test_a_refusal_is_confirmed_has_a_reason_and_the_person_reads_it(project: Project, owner: User) -> None:
    second = editor(project)
    consent = services.ask(project.people.get(side="b"), owner)
    passed_on = hand_in(consent, owner, signed_pdf(), way="pdf").context["own_link"]
    own = client_of(None).post(passed_on).context["link"]
    opened(consent, second)
    for said, code in (
        ({"why": "The name does not fit."}, "consent.not_confirmed"),
        ({"why": " ", "sure": "yes"}, "consent.no_reason"),
    ):
        answer = decide(consent, second, accept="no", **said)
        assert answer.status_code == 409
        assert f'data-code="{code}"' in answer.content.decode()
    assert standing(consent) == Standing.WAITING
    assert decide(consent, second, accept="no", why="The name does not fit.", sure="yes").status_code == 302
    assert standing(consent) == Standing.REFUSED
    assert "The name does not fit." in client_of(None).get(own).content.decode()


def test_evidence_of_a_refused_consent_goes(
    project: Project, consent: Consent, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.CONSENT_REFUSED_KEEP_DAYS = 7
    (kept,) = consent.evidence.all()
    Evidence.objects.filter(pk=kept.pk).update(likeness=b"a face")
    with django_capture_on_commit_callbacks(execute=True):
        reviewed(consent, editor(project), accept=False, why="No.")
        forget_refused()
    assert default_storage.exists(kept.file)
    settings.CONSENT_REFUSED_KEEP_DAYS = 0
    with django_capture_on_commit_callbacks(execute=True):
        forget_refused()
    assert not default_storage.exists(kept.file)
    kept.refresh_from_db()
    assert (kept.file, bytes(kept.likeness), kept.facts) == ("", b"", {})
    assert kept.destroyed_at is not None
    assert kept.sha256  # so that it is not sent again


# ---- one question, and how it was answered -------------------------------------------------------------------------


def test_a_person_has_one_open_consent(project: Project, owner: User) -> None:
    person = project.people.get(side="b")
    first = services.ask(person, owner)
    with pytest.raises(ConsentStepError, match=r"consent\.open"):
        services.ask(person, owner)
    with_document(first)
    services.give(first, Way.PDF)
    with pytest.raises(ConsentStepError, match=r"consent\.open"):
        services.ask(person, owner)
    reviewed(first, editor(project))
    assert services.ask(person, owner).standing == Standing.ASKED  # for when it ends


def test_a_hand_in_was_never_read_before_a_camera(project: Project, owner: User) -> None:
    consent = services.ask(project.people.get(side="b"), owner)
    answer = hand_in(consent, owner, pdf(), way="webcam")
    assert answer.status_code == 302
    assert standing(consent) == Standing.ASKED
    assert hand_in(consent, owner, pdf(), way="upload").status_code == 200
    consent.refresh_from_db()
    assert consent.way == Way.UPLOAD


def test_what_is_signed_is_recorded_as_signed(project: Project, owner: User) -> None:
    consent = services.ask(project.people.get(side="b"), owner)
    hand_in(consent, owner, signed_pdf(), way="upload")
    consent.refresh_from_db()
    assert consent.way == Way.PDF

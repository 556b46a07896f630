"""A person's own link: no member sees it or keeps it, and the person gets another when it is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.web.footage import client_of, member, user
from tests.web.pdfs import pdf
from webapp.accounts.models import Membership, User
from webapp.accounts.services import found_team, remove_member
from webapp.consent import own_links, services
from webapp.consent.errors import ConsentStepError
from webapp.consent.models import Consent
from webapp.projects.models import Project
from webapp.projects.services import create_project


@pytest.fixture(autouse=True)
def no_limits_of_before() -> None:
    cache.clear()


@pytest.fixture
def project(db: None) -> Project:
    owner = user("owner")
    return create_project(owner, found_team(owner, "Team"), "Project", a="Anna", b="Bruno")


@pytest.fixture
def editor(project: Project) -> User:
    return member(project, "editor")


@pytest.fixture
def consent(project: Project, editor: User) -> Consent:
    return services.ask(project.people.get(side="a"), editor, email="anna@example.org")


def hand_in(consent: Consent, by: User) -> Any:
    said = {"name": "Anna", "way": "upload", "file": SimpleUploadedFile("scan.pdf", pdf())}
    return client_of(by).post(f"/consents/{consent.pk}/hand-in/", said)


def path(pattern: str, answer: Any) -> str:
    found = re.search(pattern, answer.content.decode())
    assert found is not None
    return found[0]


def passed_on(answer: Any) -> str:
    return path(r"/consent/own/[\w-]+/", answer)


def own(answer: Any) -> tuple[str, str]:
    """The own link and the code on a page that shows them."""
    link = path(r"http://testserver/consent/withdraw/[\w-]+/", answer)
    return link.removeprefix("http://testserver"), path(r"[A-Z2-9]{4}(-[A-Z2-9]{4}){4}", answer)


def opens(link: str) -> bool:
    codes = {Client().get(link).status_code, Client().get(f"{link}data.zip").status_code}
    return codes == {200}


def test_a_member_who_handed_in_sees_no_own_link_and_keeps_none(consent: Consent, editor: User) -> None:
    """They were shown it, kept it, were removed, and got the recording and could withdraw by it."""
    answer = hand_in(consent, editor)
    link = passed_on(answer)
    assert "/consent/withdraw/" not in answer.content.decode()
    mine, code = own(Client().post(link))  # they open it themselves, signed out
    assert opens(mine)
    remove_member(Membership.objects.get(user=editor))
    assert not opens(mine)
    assert Client().post(mine).status_code == 404
    assert Client().post("/consent/lost/", {"code": code}).status_code == 409
    consent.refresh_from_db()
    assert consent.withdrawn_at is None


def test_what_was_passed_on_works_once_and_not_for_members(consent: Consent, editor: User) -> None:
    link = passed_on(hand_in(consent, editor))
    assert client_of(editor).get(link).status_code == 409
    assert client_of(editor).post(link).status_code == 409
    assert Client().get(link).status_code == 200, "looking uses nothing up"
    mine, _code = own(Client().post(link))
    assert opens(mine)
    for method in ("get", "post"):
        assert getattr(Client(), method)(link).status_code == 410


def test_the_team_makes_another_where_one_was_passed_on(consent: Consent, editor: User, project: Project) -> None:
    mine, code = own(Client().post(passed_on(hand_in(consent, editor))))
    remove_member(Membership.objects.get(user=editor))
    owner = User.objects.get(email="owner@example.org")
    page = client_of(owner).get(f"/projects/{project.pk}/a/consent/").content.decode()
    assert f"/consents/{consent.pk}/own-link/" in page
    theirs, other = own(Client().post(passed_on(client_of(owner).post(f"/consents/{consent.pk}/own-link/"))))
    assert opens(theirs)
    assert (mine, code) != (theirs, other)
    viewer = member(project, "viewer")
    assert client_of(viewer).post(f"/consents/{consent.pk}/own-link/").status_code == 403
    assert opens(theirs)


def test_no_member_makes_one_for_somebody_who_has_their_own(consent: Consent, editor: User) -> None:
    """Who agreed on the studio's own page has the link alone."""
    token, code = own_links.renew(consent)
    services.give(consent, "upload")
    answer = client_of(editor).post(f"/consents/{consent.pk}/own-link/", follow=True)
    assert "Only they can renew it" in answer.content.decode()
    assert opens(f"/consent/withdraw/{token}/")
    assert own_links.behind_code(code) == consent


def test_a_person_renews_their_link_and_the_old_one_is_dead(consent: Consent) -> None:
    services.give(consent, "upload")
    token, code = own_links.renew(consent)
    first = f"/consent/withdraw/{token}/"
    second, code_2 = own(Client().post(f"{first}renew/"))
    assert (opens(first), opens(second)) == (False, True)
    third, code_3 = own(Client().post("/consent/lost/", {"code": code_2.lower().replace("-", " ")}))
    assert (opens(second), opens(third)) == (False, True)
    for dead in (code, code_2, "", "AAAA-AAAA-AAAA-AAAA-AAAA"):
        assert "/consent/withdraw/" not in Client().post("/consent/lost/", {"code": dead}).content.decode()
    assert own_links.behind_code(code_3) == consent


def test_codes_can_t_be_tried_for_ever(consent: Consent) -> None:
    codes = [Client().post("/consent/lost/", {"code": f"{n}"}).status_code for n in range(12)]
    assert codes[:10] == [409] * 10
    assert codes[-1] == 429


def test_where_the_studio_sends_mail_the_link_goes_past_the_member(
    consent: Consent, editor: User, settings: Any
) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    answer = hand_in(consent, editor)
    assert answer.status_code == 302
    (sent,) = mail.outbox
    assert sent.to == ["anna@example.org"]
    link = re.search(r"/consent/lost/\S+/", str(sent.body))[0]  # type: ignore[index]
    assert Client().get(link).status_code == 200
    mine, _code = own(Client().post(link))
    assert Client().post(link).status_code == 410
    remove_member(Membership.objects.get(user=editor))
    assert opens(mine), "it is the person's alone"


def test_mail_renews_a_link_and_does_not_say_who_has_one(consent: Consent, settings: Any) -> None:
    assert Client().post("/consent/lost/", {"email": consent.email}).status_code == 200
    settings.EMAIL_HOST = "mail.example.org"
    services.give(consent, "upload")
    token, _code = own_links.renew(consent)
    texts = []
    for email in ("ANNA@example.org", "nobody@example.org", "x" * 9999):
        page = Client().post("/consent/lost/", {"email": email}).content.decode()
        texts.append(re.sub(r'name="csrfmiddlewaretoken"[^>]*', "", page))
    assert len(set(texts)) == 1
    assert len(mail.outbox) == 1
    assert opens(f"/consent/withdraw/{token}/"), "whoever asks ends nothing"
    link = re.search(r"/consent/lost/\S+/", str(mail.outbox[0].body))[0]  # type: ignore[index]
    mine, _code = own(Client().post(link))
    assert (opens(mine), opens(f"/consent/withdraw/{token}/")) == (True, False)
    assert Client().get(f"{link[:-2]}x/").status_code == 404


def test_after_a_withdrawal_nothing_is_passed_on(consent: Consent, editor: User) -> None:
    hand_in(consent, editor)
    consent.refresh_from_db()
    services.withdraw(consent)
    with pytest.raises(ConsentStepError, match=r"consent\.closed"):
        own_links.pass_on_again(consent, editor)

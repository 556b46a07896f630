"""Changing a password, and setting a new one without the old: by mail, or by a link that staff have made."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from tests.web.footage import client_of, signs_in, user
from webapp.accounts.account_views import proof_tokens
from webapp.accounts.makers import DEMO_ADDRESS
from webapp.accounts.models import Proof, ResetLink, User
from webapp.accounts.resets import make_reset_link
from webapp.accounts.services import TeamError
from webapp.projects.models import AuditEntry, Project

pytestmark = pytest.mark.django_db

OLD, NEW = "a long password", "quite another one"
SET = {"new_password1": NEW, "new_password2": NEW}


@pytest.fixture
def by_mail(settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    cache.clear()


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("staff@example.org", OLD)


def mailed_link(number: int = 0) -> str:
    found = re.search(r"http://testserver(/\S+)", str(mail.outbox[number].body))
    assert found is not None
    return found[1]


# ---- with the old one ------------------------------------------------------------------------------------------------


def test_a_new_password_ends_the_other_sessions_and_not_this_one(owner: User, project: Project) -> None:
    here, elsewhere = client_of(owner), client_of(owner)
    answer = here.post("/account/password/", {"old_password": OLD} | SET, follow=True)
    assert "signed out everywhere else" in answer.content.decode()
    assert here.get("/teams/").status_code == 200
    assert elsewhere.get("/teams/").status_code == 302
    assert not signs_in(Client(), owner.email, OLD)
    assert signs_in(Client(), owner.email, NEW)
    assert AuditEntry.objects.get(verb="account.password_changed").team_id == project.team_id


@pytest.mark.parametrize(
    "wrong", [{"old_password": "no"}, {"new_password1": "short", "new_password2": "short"}, {"new_password2": "other"}]
)
def test_what_is_wrong_changes_nothing(owner: User, wrong: dict[str, str]) -> None:
    answer = client_of(owner).post("/account/password/", {"old_password": OLD} | SET | wrong)
    assert 'class="bad"' in answer.content.decode()
    assert signs_in(Client(), owner.email, OLD)


def test_whoever_took_over_a_session_can_t_try_passwords_for_ever(owner: User) -> None:
    thief = client_of(owner)
    codes = [thief.post("/account/password/", {"old_password": f"{n}"} | SET).status_code for n in range(11)]
    assert codes[:9] == [200] * 9
    assert codes[-1] == 429


# ---- by mail ---------------------------------------------------------------------------------------------------------


def test_without_mail_there_is_no_such_page(owner: User) -> None:
    assert Client().get("/password/").status_code == 404
    assert "Ask this studio" in Client().get("/sign-in/").content.decode()


def test_a_mailed_link_sets_a_password_once_and_proves_the_address(owner: User, by_mail: None) -> None:
    token = make_reset_link(owner, None)
    answer = Client().post("/password/", {"email": owner.email.upper()}, follow=True)
    assert "was sent to it" in answer.content.decode()
    (sent,) = mail.outbox
    assert sent.to == [owner.email]
    browser = Client()
    form = browser.get(mailed_link()).headers["Location"]
    assert browser.post(form, SET).headers["Location"] == "/sign-in/"
    assert signs_in(Client(), owner.email, NEW)
    owner.refresh_from_db()
    assert owner.proven_by == Proof.MAIL
    assert "has expired" in Client().get(mailed_link(), follow=True).content.decode()
    assert Client().get(f"/password/link/{token}/").status_code == 410


def test_the_answer_does_not_say_who_has_an_account(owner: User, by_mail: None) -> None:
    answers = [Client().post("/password/", {"email": email}, follow=True) for email in (owner.email, "no@example.org")]
    texts = [re.sub(r'name="csrfmiddlewaretoken"[^>]*', "", one.content.decode()) for one in answers]
    assert texts[0] == texts[1]
    assert len(mail.outbox) == 1


def test_nobody_s_mailbox_is_filled(owner: User, by_mail: None) -> None:
    codes = [Client().post("/password/", {"email": owner.email}).status_code for _ in range(5)]
    assert codes == [302] * 3 + [429] * 2
    assert len(mail.outbox) == 3


def test_a_mailed_link_ends_with_a_change_and_with_the_account(owner: User, by_mail: None) -> None:
    for ending in ({"password": "!"}, {"is_active": False}, {"email": "other@example.org"}):
        mail.outbox.clear()
        cache.clear()
        Client().post("/password/", {"email": owner.email})
        before = User.objects.filter(pk=owner.pk).values(*ending).get()
        User.objects.filter(pk=owner.pk).update(**ending)
        assert "has expired" in Client().get(mailed_link(), follow=True).content.decode(), ending
        User.objects.filter(pk=owner.pk).update(**before)


# ---- by staff --------------------------------------------------------------------------------------------------------


def test_staff_make_a_link_that_is_shown_once_and_recorded(staff: User, owner: User, project: Project) -> None:
    page = client_of(staff).post(f"/operations/accounts/{owner.pk}/reset-link/").content.decode()
    link = re.search(r"http://testserver(/password/link/[\w-]+/)", page)[1]  # type: ignore[index]
    assert link not in client_of(staff).get("/operations/accounts/").content.decode()
    assert Client().post(link, SET).status_code == 302
    assert signs_in(Client(), owner.email, NEW)
    verbs = AuditEntry.objects.filter(team=project.team, verb__startswith="account.").values_list("verb", "actor")
    assert list(verbs) == [("account.reset_link", staff.pk), ("account.password_reset", owner.pk)]


def test_owners_take_over_no_account(owner: User, project: Project) -> None:
    other = user("other")
    for what in ("reset-link", "vouch", "unprove"):
        assert client_of(owner).post(f"/operations/accounts/{other.pk}/{what}/").status_code == 403
    assert client_of(owner).get("/operations/accounts/").status_code == 403
    assert not ResetLink.objects.exists()


def test_staff_take_over_no_administrator_and_nobody_the_demo(staff: User) -> None:
    helper = User.objects.create_user("helper@example.org", OLD, is_staff=True)
    with pytest.raises(TeamError, match=r"reset\.superuser"):
        make_reset_link(staff, helper)
    with pytest.raises(TeamError, match=r"reset\.demo"):
        make_reset_link(User.objects.create_user(DEMO_ADDRESS), staff)
    page = client_of(helper).post(f"/operations/accounts/{staff.pk}/reset-link/", follow=True).content.decode()
    assert "administrator" in page


def test_the_commands(owner: User) -> None:
    said = StringIO()
    call_command("reset_link", owner.email.upper(), stdout=said)
    link = re.search(r"/password/link/[\w-]+/", said.getvalue())[0]  # type: ignore[index]
    assert Client().post(link, SET).status_code == 302
    call_command("vouch", owner.email, stdout=said)
    owner.refresh_from_db()
    assert (owner.proven_by, owner.vouched_by) == (Proof.STAFF, None)
    call_command("vouch", owner.email, take_back=True, stdout=said)
    owner.refresh_from_db()
    assert owner.address_proven_at is None
    for command in ("reset_link", "vouch"):
        with pytest.raises(CommandError, match="no account"):
            call_command(command, "nobody@example.org")


# ---- proving an address ----------------------------------------------------------------------------------------------


def test_a_mailed_link_proves_an_address_to_whoever_has_the_account(owner: User, by_mail: None) -> None:
    browser = client_of(owner)
    assert "not yet" in browser.get("/account/").content.decode()
    browser.post("/account/prove/")
    link = mailed_link()
    assert client_of(user("stranger")).post(link).status_code == 410
    assert Client().post(link).status_code == 302
    assert browser.get(link).status_code == 200
    owner.refresh_from_db()
    assert owner.address_proven_at is None, "programs that look through mail open links"
    browser.post(link)
    owner.refresh_from_db()
    assert owner.proven_by == Proof.MAIL
    assert browser.post(link).status_code == 410


@pytest.mark.parametrize("ending", [{"password": "!"}, {"email": "other@example.org"}])
def test_a_link_to_prove_an_address_ends_with_what_it_was_made_for(owner: User, ending: dict[str, str]) -> None:
    token = proof_tokens.make_token(owner)
    User.objects.filter(pk=owner.pk).update(**ending)
    owner.refresh_from_db()
    assert client_of(owner).post(f"/account/prove/{token}/").status_code == 410


def test_an_invitation_proves_an_address_only_if_it_was_mailed(owner: User, project: Project, settings: Any) -> None:
    for host, proof in (("", ""), ("mail.example.org", Proof.MAIL)):
        settings.EMAIL_HOST = host
        invited = f"guest{proof}@example.org"
        page = client_of(owner).post(f"/teams/{project.team.pk}/invite/", {"email": invited, "role": "editor"})
        shown = re.search(r"/invitations/[\w-]+/", page.content.decode())
        assert (shown is None) == bool(host), "whoever invites never sees a link that proves something"
        link = shown[0] if shown else mailed_link()
        assert Client().post(link, {"password": NEW}).status_code == 302
        assert User.objects.get(email=invited).proven_by == proof


def test_mail_that_can_t_be_sent_leaves_nothing_behind(owner: User, project: Project, settings: Any) -> None:
    settings.EMAIL_HOST = "localhost"
    settings.EMAIL_PORT = 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    said = {"email": "guest@example.org", "role": "editor"}
    page = client_of(owner).post(f"/teams/{project.team.pk}/invite/", said, follow=True).content.decode()
    assert "could not be sent" in page
    assert not project.team.invitations.exists()


def test_staff_vouch_for_others_only(staff: User, owner: User, project: Project) -> None:
    browser = client_of(staff)
    browser.post(f"/operations/accounts/{owner.pk}/vouch/")
    owner.refresh_from_db()
    assert (owner.proven_by, owner.vouched_by) == (Proof.STAFF, staff)
    assert AuditEntry.objects.get(verb="account.vouched").actor_id == staff.pk
    assert "vouch for yourself" in browser.post(f"/operations/accounts/{staff.pk}/vouch/", follow=True).content.decode()
    demo = User.objects.create_user(DEMO_ADDRESS)
    browser.post(f"/operations/accounts/{demo.pk}/vouch/")
    demo.refresh_from_db()
    assert demo.address_proven_at is None
    browser.post(f"/operations/accounts/{owner.pk}/unprove/")
    owner.refresh_from_db()
    assert owner.address_proven_at is None


def test_staff_find_accounts(staff: User, owner: User) -> None:
    browser = client_of(staff)
    assert owner.email in browser.get("/operations/accounts/").content.decode()
    assert owner.email not in browser.get("/operations/accounts/?q=nobody").content.decode()
    assert owner.email not in browser.get(f"/operations/accounts/?after={owner.pk}").content.decode()
    assert browser.get(f"/operations/accounts/?after={'9' * 30}").status_code == 200
    assert browser.get("/operations/accounts/?q=%00").status_code == 400

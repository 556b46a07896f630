"""Pages of teams: who sees and changes what, inviting, joining with and without an account, the trail."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.web.footage import client_of, member, people, project_of, signs_in, user
from tests.web.test_projects import SEEN, answers
from tests.web.ways import owner_of
from webapp.accounts.invitations import invite
from webapp.accounts.models import Invitation, Membership, Role, Team, User
from webapp.projects.models import AuditEntry, Project
from webapp.projects.services import record, rename_project
from webapp.projects.trail import PAGE, WORDS

pytestmark = pytest.mark.django_db

MANAGED = {"owner": 302, "editor": 403, "reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 302}


@pytest.fixture
def team(project: Project) -> Team:
    return project.team


@pytest.fixture
def url(team: Team) -> str:
    return f"/teams/{team.pk}/"


def test_who_sees_a_team(project: Project, url: str) -> None:
    assert answers(project, "get", url) == SEEN


def test_who_sees_the_trail(project: Project, url: str) -> None:
    assert answers(project, "get", f"{url}trail/") == SEEN


def test_one_s_teams_are_listed(owner: User, team: Team) -> None:
    Team.objects.create(name="Elsewhere")
    page = client_of(owner).get("/teams/").content.decode()
    assert f"/teams/{team.pk}/" in page
    assert "Elsewhere" not in page


def test_only_owners_are_offered_changes(project: Project, team: Team, url: str) -> None:
    invite(team, "guest@example.org", Role.VIEWER, owner_of(project))
    for name, someone in people(project).items():
        if name in ("stranger", "anonymous"):
            continue
        page = client_of(someone).get(url).content.decode()
        assert ("guest@example.org" in page) == ("/invite/" in page) == ('name="role"' in page) == (name == "owner")


# ---- inviting and joining --------------------------------------------------------------------------------------------


def test_who_may_invite(project: Project, url: str) -> None:
    said = {"email": "guest@example.org", "role": "viewer"}
    assert answers(project, "post", f"{url}invite/", said) == MANAGED | {"owner": 200}
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"email": "no address"}, {"role": "king"}])
def test_a_wrong_invitation_is_refused(owner: User, url: str, wrong: dict[str, str]) -> None:
    said = {"email": "guest@example.org", "role": "viewer"} | wrong
    assert 'class="bad"' in client_of(owner).post(f"{url}invite/", said).content.decode()
    assert not Invitation.objects.exists()


def link_of(owner: User, url: str, role: str = "reviewer") -> str:
    answer = client_of(owner).post(f"{url}invite/", {"email": "guest@example.org", "role": role})
    found = re.search(r"http://testserver(/invitations/[^<]+)", answer.content.decode())
    assert found is not None
    return found[1]


def test_the_link_is_shown_once(owner: User, url: str) -> None:
    link = link_of(owner, url)
    assert link not in client_of(owner).get(url).content.decode()


def test_a_guest_joins_with_an_account(owner: User, team: Team, url: str) -> None:
    link, guest = link_of(owner, url), client_of(user("guest"))
    assert "reviewer" in guest.get(link).content.decode()
    assert not team.memberships.filter(role="reviewer").exists(), "looking at it changes nothing"
    assert guest.post(link).headers["Location"] == "/"
    assert guest.get(url).status_code == 200
    assert guest.get(link).status_code == 410
    assert AuditEntry.objects.get(verb="member.joined").data == {"email": "guest@example.org", "role": "reviewer"}


def test_a_guest_without_an_account_gets_one(owner: User, url: str) -> None:
    link, guest = link_of(owner, url), Client()
    for weak in ("", "short", "password1234", "guest@example.org"):
        assert guest.post(link, {"password": weak}).status_code == 200
        assert not User.objects.filter(email="guest@example.org").exists()
    answer = guest.post(link, {"password": "correct horse battery"})
    assert answer.status_code == 302
    assert guest.get(url).status_code == 302, "the account is made, but signing in and joining is still to do"
    assert signs_in(guest, "guest@example.org", "correct horse battery")
    assert guest.post(link).status_code == 302
    assert guest.get(url).status_code == 200


def test_no_link_gives_away_an_account_that_is_there(owner: User, url: str) -> None:
    link = link_of(owner, url)
    without = [(one.status_code, one.headers["Location"], one.content) for one in choose_password(link)]
    User.objects.get(email="guest@example.org").delete()
    user("guest")
    with_account = [(one.status_code, one.headers["Location"], one.content) for one in choose_password(link)]
    assert with_account == without
    assert not signs_in(Client(), "guest@example.org", "correct horse battery")


def choose_password(link: str) -> list[Any]:
    """The answers of looking at a link while signed out, and of choosing a password by it."""
    browser = Client()
    assert browser.get(link).status_code == 200
    return [browser.post(link, {"password": "correct horse battery"})]


def test_a_made_up_link_leads_nowhere() -> None:
    for client in (Client(), client_of(user("any"))):
        assert client.get("/invitations/made-up/").status_code == 410
        assert client.post("/invitations/made-up/", {"password": "correct horse battery"}).status_code == 410


def test_who_may_take_an_invitation_back(project: Project, team: Team, url: str) -> None:
    invitation, token = invite(team, "guest@example.org", Role.VIEWER, owner_of(project))
    assert answers(project, "post", f"{url}invitations/{invitation.pk}/withdraw/") == MANAGED
    assert client_of(user("guest")).get(f"/invitations/{token}/").status_code == 410


# ---- members ---------------------------------------------------------------------------------------------------------


def test_who_may_change_a_role(project: Project, team: Team, url: str) -> None:
    membership = Membership.objects.create(team=team, user=user("bea"), role=Role.VIEWER)
    assert answers(project, "post", f"{url}members/{membership.pk}/", {"role": "editor"}) == MANAGED
    membership.refresh_from_db()
    assert membership.role == "editor"
    trail = AuditEntry.objects.get(verb="member.role").data
    assert trail == {"email": "bea@example.org", "before": "viewer", "role": "editor"}


def test_nobody_makes_oneself_more(project: Project, url: str) -> None:
    editor = member(project, "editor")
    own = Membership.objects.get(user=editor)
    assert client_of(editor).post(f"{url}members/{own.pk}/", {"role": "owner"}).status_code == 403


def test_a_made_up_role_changes_nothing(owner: User, team: Team, url: str) -> None:
    membership = Membership.objects.create(team=team, user=user("bea"), role=Role.VIEWER)
    client_of(owner).post(f"{url}members/{membership.pk}/", {"role": "king"})
    membership.refresh_from_db()
    assert membership.role == "viewer"


def test_who_may_remove_a_member(project: Project, team: Team, url: str) -> None:
    membership = Membership.objects.create(team=team, user=user("bea"), role=Role.VIEWER)
    everybody, remove = people(project), f"{url}members/{membership.pk}/remove/"
    for name in reversed(everybody):  # the owner last: then there is nobody left to remove
        assert client_of(everybody[name]).post(remove).status_code == MANAGED[name], name
    assert not team.memberships.filter(pk=membership.pk).exists()


def test_everybody_may_leave_but_the_last_owner(project: Project, owner: User, url: str) -> None:
    viewer = member(project, "viewer")
    own = Membership.objects.get(user=viewer)
    assert client_of(viewer).post(f"{url}members/{own.pk}/remove/").headers["Location"] == "/teams/"
    assert client_of(viewer).get(url).status_code == 404
    last = Membership.objects.get(user=owner)
    answer = client_of(owner).post(f"{url}members/{last.pk}/remove/", follow=True)
    assert "needs an owner" in answer.content.decode()
    assert client_of(owner).get(url).status_code == 200


def test_members_of_other_teams_are_out_of_reach(owner: User, url: str) -> None:
    elsewhere = project_of(user("other")).team.memberships.get()
    for what in ("", "remove/"):
        assert client_of(owner).post(f"{url}members/{elsewhere.pk}/{what}", {"role": "viewer"}).status_code == 404


# ---- the trail -------------------------------------------------------------------------------------------------------


def test_the_trail_tells_who_did_what_and_nothing_of_other_teams(owner: User, project: Project, url: str) -> None:
    rename_project(owner, project, "{name} <b>")
    other = user("other")
    rename_project(other, project_of(other), "Secret")
    page = client_of(owner).get(f"{url}trail/").content.decode()
    assert "owner@example.org: renamed project Project to {name} &lt;b&gt;" in page
    assert "Secret" not in page


def test_the_trail_goes_on_over_pages(owner: User, project: Project, team: Team, url: str) -> None:
    for verb in [*WORDS, "new.verb"] * 20:
        record(owner, verb, team)
    client = client_of(owner)
    page = client.get(f"{url}trail/").content.decode()
    assert page.count("<time") == PAGE
    older = re.search(r'href="(\?after=\d+)"', page)
    assert older is not None
    assert client.get(f"{url}trail/{older[1]}").content.decode().count("<time") == PAGE
    assert client.get(f"{url}trail/?project={project.pk}").content.decode().count("<time") == 1
    assert client.get(f"{url}trail/?after=x&project={10**30}").status_code == 200

"""Tokens for scripts: their end and scope, what they open, and that they open no page on which more can be made."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import get_resolver, resolve
from django.utils import timezone

from tests.web.footage import Tus, client_of, member, user
from tests.web.test_consent_everywhere import routes
from tests.web.ways import faces
from webapp.accounts.models import Invitation, User
from webapp.api.api import api
from webapp.api.middleware import API, BESIDE
from webapp.api.models import ApiToken, Scope
from webapp.api.tokens import DAYS, MOST_DAYS, make_token, user_of
from webapp.projects.access import Verb, may, role_of
from webapp.projects.models import Project

pytestmark = pytest.mark.django_db

ANY = {"project_id": 1, "run_id": 1, "side": "a", "job_id": str(uuid.uuid4()), "change": "pause"}


def header(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def code_of(answer: Any) -> str:
    """The code of a refusal; empty for anything else."""
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    content = json.loads(answer.content) if is_json else {}
    return str(content.get("code", "")) if isinstance(content, dict) else ""


# ---- where tokens work -----------------------------------------------------------------------------------------------


def test_a_token_makes_no_token(owner: User) -> None:
    """A leaked token made another, which lived on when the leaked one was revoked."""
    token = make_token(owner, "leaked")
    answer = Client().post("/api/tokens/", {"name": "child"}, headers=header(token))
    assert (answer.status_code, code_of(answer)) == (403, "token.session")
    assert ApiToken.objects.count() == 1
    assert Client().get("/api/tokens/", headers=header(token)).status_code == 403


def test_a_token_opens_no_page_for_people(owner: User) -> None:
    """Every address of the studio, so also those that are made later: pages refuse tokens before anything else."""
    token, opened, files = make_token(owner, "test"), [], set()
    for route, _name in routes(get_resolver()):
        path = "/" + _filled(route)
        name = resolve(path).view_name  # one address may hide another
        for method in ("get", "post"):
            code = code_of(getattr(Client(), method)(path, headers=header(token)))
            if name.startswith(f"{API}:") or name in BESIDE:
                assert code != "token.session", name
                files.add(name)
            elif code != "token.session" and path != "/metrics":
                opened.append((name, path, method, code))
    assert not opened
    assert files >= BESIDE


def _filled(route: str) -> str:
    """A path of the route, with something in place of each part."""
    for kind, value in (("int", "1"), ("uuid", str(uuid.uuid4())), ("path", "x"), ("str", "x")):
        while f"<{kind}:" in route:
            before, rest = route.split(f"<{kind}:", 1)
            route = before + value + rest.split(">", 1)[1]
    while "<" in route:
        before, rest = route.split("<", 1)
        route = before + "x" + rest.split(">", 1)[1]
    return route


def test_a_token_neither_invites_nor_changes_a_password(owner: User, project: Project) -> None:
    token = make_token(owner, "leaked")
    said = {"email": "thief@example.org", "role": "owner"}
    assert Client().post(f"/teams/{project.team.pk}/invite/", said, headers=header(token)).status_code == 403
    assert Client().post("/account/password/", headers=header(token)).status_code == 403
    assert not Invitation.objects.exists()


# ---- scopes ----------------------------------------------------------------------------------------------------------


def operations() -> list[tuple[str, str]]:
    """Method and path of every endpoint."""
    schema = api.get_openapi_schema()
    return [(method, path) for path, methods in schema["paths"].items() for method in methods]


def test_each_endpoint_that_changes_something_wants_the_scope_for_it(owner: User) -> None:
    tokens = {scope: make_token(owner, "test", scope) for scope in Scope.values}
    judged = []
    for method, path in operations():
        filled = path.format_map(_Filled())
        codes = {
            scope: code_of(getattr(Client(), method)(filled, content_type="application/json", headers=header(token)))
            for scope, token in tokens.items()
        }
        refused = {scope for scope, code in codes.items() if code == "token.scope"}
        if method == "get":
            assert not refused, path
        elif path.endswith("/faces/verdicts"):
            judged.append(path)
            assert refused == {Scope.READ}
        else:
            assert refused == {Scope.READ, Scope.REVIEW}, path
    assert len(judged) == 1


class _Filled(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        return ANY.get(name, 1)


def test_a_scope_holds_wherever_roles_are_asked_for(owner: User, project: Project) -> None:
    """Also where no endpoint asks for the scope: uploads by tus, and whatever comes later."""
    team = project.team_id
    for scope, role, verb in (
        (Scope.READ, "viewer", Verb.VIEW), (Scope.REVIEW, "reviewer", Verb.REVIEW), (Scope.WRITE, "editor", Verb.EDIT),
    ):  # fmt: skip
        found = user_of(make_token(owner, "test", scope))
        assert role_of(found, team) == role
        assert [may(found, one, team) for one in Verb] == [one.value <= verb.value for one in Verb]
        created = Tus(None, project.people.get(side="a")).create(9, **header(make_token(owner, "test", scope)))
        assert created.status_code == (201 if scope == Scope.WRITE else 403)
    viewer = user_of(make_token(member(project, "viewer"), "test", Scope.WRITE))
    assert role_of(viewer, team) == "viewer", "a scope gives nobody more than they have"
    assert role_of(AnonymousUser(), team) is None


def test_a_token_to_review_judges_faces_and_nothing_else(owner: User, project: Project) -> None:
    faces(project.people.get(side="a"))
    base = f"/api/projects/{project.pk}"
    headers = header(make_token(owner, "test", Scope.REVIEW))
    said = json.dumps({"numbers": [1], "value": "reject"})
    kind = "application/json"
    assert Client().post(f"{base}/a/faces/verdicts", said, content_type=kind, headers=headers).status_code == 200
    assert code_of(Client().post("/api/projects", "{}", content_type=kind, headers=headers)) == "token.scope"
    assert Client().get(f"{base}/a/faces", headers=headers).status_code == 200


# ---- how long --------------------------------------------------------------------------------------------------------


def test_a_token_ends_after_its_days(owner: User) -> None:
    token = make_token(owner, "test", days=30)
    row = ApiToken.objects.get()
    assert timedelta(days=29) < row.expires_at - timezone.now() < timedelta(days=31)
    assert user_of(token) == owner
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = Client().get("/api/projects", headers=header(token))
    assert (answer.status_code, code_of(answer)) == (401, "token.unknown")
    assert "expired" in client_of(owner).get("/api/tokens/").content.decode()


def test_nobody_makes_one_for_ever(owner: User) -> None:
    browser = client_of(owner)
    for days in ("0", "-1", str(MOST_DAYS + 1), "x"):
        browser.post("/api/tokens/", {"name": "test", "scope": "write", "days": days})
    browser.post("/api/tokens/", {"name": "test", "scope": "everything", "days": "1"})
    assert not ApiToken.objects.exists()
    browser.post("/api/tokens/", {"name": "test"})
    made = ApiToken.objects.get()
    assert made.scope == Scope.READ, "the least, unless somebody says otherwise"
    assert made.expires_at - timezone.now() > timedelta(days=DAYS - 1)
    with pytest.raises(ValueError, match="365"):
        make_token(owner, "test", days=MOST_DAYS + 1)


def test_the_list_says_what_each_may_do_and_how_long(owner: User) -> None:
    make_token(owner, "Night job", Scope.WRITE, days=30)
    shown = client_of(owner).get("/api/tokens/").content.decode()
    assert "write" in shown
    assert "never used" in shown
    assert f"until {timezone.now() + timedelta(days=30):%Y-%m-%d}" in shown
    owner.set_password("another long password")
    owner.save()
    assert "revoked by your password change" in client_of(owner).get("/api/tokens/").content.decode()
    assert "Night job" not in client_of(user("other")).get("/api/tokens/").content.decode()

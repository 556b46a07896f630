"""What browsers are told: what they may keep, and from which pages a socket may be opened."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.web.footage import client_of
from tests.web.ways import faces
from webapp.accounts.models import User
from webapp.api.tokens import make_token
from webapp.origins import is_own
from webapp.projects.models import Project


def scope(origin: str | None, host: str = "testserver:8000", scheme: str = "ws", **headers: str) -> dict[str, Any]:
    sent = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin is not None else [])
    sent += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "websocket", "scheme": scheme, "headers": sent}


def test_a_socket_is_opened_by_the_studio_s_own_pages_only(settings: Any) -> None:
    assert is_own(scope("http://testserver:8000"))
    for other in (
        *(None, "", "null", "http://testserver", "http://testserver:9000", "https://testserver:8000"),
        *("http://elsewhere.example", "http://testserver:8000.elsewhere.example", "http://testserver:x"),
        *("http://testserver:8000@elsewhere.example", "file://testserver:8000", "http://testserver:8000/page"),
    ):
        assert not is_own(scope(other)), other
    assert not is_own(scope("http://elsewhere.example", host="elsewhere.example")), "not one of ALLOWED_HOSTS"
    assert is_own(scope("http://testserver", host="testserver:80")), "a port that goes without saying"
    settings.CSRF_TRUSTED_ORIGINS = ["https://studio.example"]
    assert is_own(scope("https://studio.example"))
    assert not is_own(scope("http://studio.example"))
    assert not is_own(scope("https://studio.example:8443"))


def test_behind_a_proxy_its_word_counts_for_the_scheme(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert is_own(scope("https://testserver", host="testserver", x_forwarded_proto="https"))
    assert not is_own(scope("http://testserver", host="testserver", x_forwarded_proto="https"))
    assert not is_own(scope("https://testserver", host="testserver", x_forwarded_proto="http"))
    assert not is_own(scope("https://testserver", host="testserver", scheme="wss")), "the proxy says nothing"


@pytest.mark.django_db
def test_what_people_see_signed_in_stays_in_no_cache(owner: User, project: Project) -> None:
    browser = client_of(owner)
    for page in ("/", f"/projects/{project.pk}/", "/teams/", "/account/", "/jobs/", "/api/"):
        assert browser.get(page)["Cache-Control"] == "private, no-store", page
    headers = {"Authorization": f"Bearer {make_token(owner, 'test')}"}
    assert Client().get("/api/projects", headers=headers)["Cache-Control"] == "private, no-store"


@pytest.mark.django_db
def test_pictures_and_static_files_are_kept_as_before(owner: User, project: Project) -> None:
    faces(project.people.get(side="a"))
    browser = client_of(owner)
    small = browser.get(f"/projects/{project.pk}/a/faces/crops/1/large")
    assert small["Cache-Control"].startswith("private, max-age=")
    assert "no-store" not in browser.get("/static/css/studio.css").headers.get("Cache-Control", "")

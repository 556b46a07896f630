"""Signing in and out, and how somebody likes the pages to look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog
from django.test import Client, RequestFactory
from django.utils import timezone

from webapp.accounts.models import User
from webapp.clients import client_address

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return User.objects.create_user("anna@example.org", "a long password")


def sign_in(browser: Client, email: str, password: str, **more: str) -> object:
    return browser.post("/sign-in/", {"username": email, "password": password} | more)


@pytest.mark.parametrize("email", ["anna@example.org", "ANNA@Example.org", " anna@example.org "])
def test_the_right_password_leads_to_the_projects(client: Client, user: User, email: str) -> None:
    assert sign_in(client, email, "a long password").headers["Location"] == "/"  # type: ignore[attr-defined]


def test_one_is_led_to_where_one_wanted_but_never_away(client: Client, user: User) -> None:
    assert client.get("/jobs/").headers["Location"] == "/sign-in/?next=/jobs/"
    for wanted, led in [("/jobs/ended/done/", "/jobs/ended/done/"), ("https://elsewhere.example/", "/")]:
        answer = sign_in(Client(), "anna@example.org", "a long password", next=wanted)
        assert answer.headers["Location"] == led  # type: ignore[attr-defined]


def test_a_wrong_password_and_an_unknown_address_look_the_same(client: Client, user: User) -> None:
    texts = []
    for email in ("anna@example.org", "nobody@example.org"):
        page = sign_in(client, email, "wrong").content.decode()  # type: ignore[attr-defined]
        assert "password is wrong" in page
        texts.append(page.replace(email, "").split("<main")[1].split("csrfmiddlewaretoken")[0])
    assert texts[0] == texts[1]


def test_a_deactivated_account_stays_out(client: Client, user: User) -> None:
    User.objects.update(is_active=False)
    assert sign_in(client, "anna@example.org", "a long password").status_code == 200  # type: ignore[attr-defined]


def test_signing_out_needs_a_form(client: Client, user: User) -> None:
    client.force_login(user)
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/jobs/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/jobs/").status_code == 302


@pytest.mark.parametrize(("theme", "kept"), [("dark", "dark"), ("auto", "auto"), ('"><script>', None)])
def test_colours_are_remembered(client: Client, theme: str, kept: str | None) -> None:
    answer = client.post("/theme/", {"theme": theme, "next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/"
    assert (client.cookies["theme"].value if "theme" in client.cookies else None) == kept


def test_a_made_up_colour_in_the_cookie_is_not_shown(client: Client) -> None:
    client.cookies["theme"] = "x' onload='"
    assert "onload" not in client.get("/sign-in/").content.decode()


@pytest.mark.parametrize(("wanted", "heading"), [("zh-CN", "登录"), ("en", "Sign in"), ("xx", "Sign in")])
def test_the_browser_chooses_the_language(client: Client, wanted: str, heading: str) -> None:
    assert f"<h1>{heading}</h1>" in client.get("/sign-in/", headers={"Accept-Language": wanted}).content.decode()


def test_nothing_from_elsewhere_may_run(client: Client) -> None:
    policy = client.get("/sign-in/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_after_ten_wrong_passwords_one_waits(user: User) -> None:
    for _ in range(9):
        assert sign_in(Client(), "anna@example.org", "wrong").status_code == 200  # type: ignore[attr-defined]
    for email in ("anna@example.org", " ANNA@example.org "):
        answer = sign_in(Client(), email, "a long password" if email[0] == " " else "wrong")
        assert answer.status_code == 429  # type: ignore[attr-defined]
        assert "Try again in 15 minutes" in answer.content.decode()  # type: ignore[attr-defined]
        assert answer.headers["Retry-After"] == "900"  # type: ignore[attr-defined]


def test_an_unknown_address_is_locked_out_alike(db: None) -> None:
    answers = [sign_in(Client(), "nobody@example.org", "wrong").status_code for _ in range(11)]  # type: ignore[attr-defined]
    assert answers == [200] * 9 + [429] * 2


def test_others_and_other_places_are_not_locked_out(user: User) -> None:
    User.objects.create_user("bruno@example.org", "a long password")
    for _ in range(12):
        sign_in(Client(), "anna@example.org", "wrong")
    assert sign_in(Client(), "bruno@example.org", "a long password").status_code == 302  # type: ignore[attr-defined]
    elsewhere = Client(REMOTE_ADDR="10.1.2.3")
    assert sign_in(elsewhere, "anna@example.org", "a long password").status_code == 302  # type: ignore[attr-defined]


def test_signing_in_begins_the_count_anew(user: User) -> None:
    for _ in range(3):
        for _ in range(8):
            sign_in(Client(), "anna@example.org", "wrong")
        assert sign_in(Client(), "anna@example.org", "a long password").status_code == 302  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("proxies", "said", "counts"),
    [
        (0, "1.1.1.1", "9.9.9.9"),
        (1, "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        (2, "1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (3, "x", "9.9.9.9"),
    ],
)
def test_whose_address_counts(settings: Any, proxies: int, said: str, counts: str) -> None:
    settings.PROXIES = proxies
    request = RequestFactory().post("/sign-in/", REMOTE_ADDR="9.9.9.9", HTTP_X_FORWARDED_FOR=said)
    assert client_address(request) == counts


# ---- many accounts from one address ----------------------------------------------------------------------------------


def spray(count: int, address: str = "9.9.9.9", first: int = 0) -> list[int]:
    """Try one wrong password for each of so many accounts from one address."""
    browser = Client(REMOTE_ADDR=address)
    return [
        sign_in(browser, f"{number}@example.org", "wrong").status_code  # type: ignore[attr-defined]
        for number in range(first, first + count)
    ]


def test_one_address_tries_fifty_passwords_an_hour_for_all_accounts_together(user: User) -> None:
    assert spray(50) == [200] * 49 + [429]
    refused = sign_in(Client(REMOTE_ADDR="9.9.9.9"), "anna@example.org", "a long password")
    assert refused.status_code == 429  # type: ignore[attr-defined]
    assert "Try again in 60 minutes" in refused.content.decode()  # type: ignore[attr-defined]
    assert refused.headers["Retry-After"] == "3600"  # type: ignore[attr-defined]
    elsewhere = sign_in(Client(REMOTE_ADDR="9.9.9.8"), "anna@example.org", "a long password")
    assert elsewhere.status_code == 302  # type: ignore[attr-defined]


def test_signing_in_to_one_s_own_account_does_not_forget_what_was_tried_for_others(user: User) -> None:
    browser = Client(REMOTE_ADDR="9.9.9.9")
    for first in range(0, 48, 8):
        spray(8, first=first)
        assert sign_in(browser, "anna@example.org", "a long password").status_code == 302  # type: ignore[attr-defined]
        browser.post("/sign-out/")
    assert spray(2, first=48) == [200, 429]


def test_an_hour_later_it_may_again_and_what_was_refused_does_not_count(user: User) -> None:
    spray(50)
    assert spray(30, first=50) == [429] * 30
    assert AccessFailureLog.objects.count() == 50
    AccessFailureLog.objects.update(attempt_time=timezone.now() - timedelta(minutes=61))
    assert sign_in(Client(REMOTE_ADDR="9.9.9.9"), "anna@example.org", "a long password").status_code == 302  # type: ignore[attr-defined]
    assert spray(1, first=90) == [200]
    assert AccessFailureLog.objects.count() == 1, "what is older than an hour is forgotten"
    assert AccessFailureLog.objects.get().username is None


def test_a_line_s_ipv6_addresses_are_one_and_a_proxy_s_clients_are_not(user: User, settings: Any) -> None:
    settings.SIGN_IN_FAILURES = 4
    tried = [spray(1, f"2001:db8:1:2::{number:x}", number)[0] for number in range(4)]
    assert tried == [200] * 3 + [429]
    assert spray(1, "2001:db8:1:3::1", 10) == [200]
    assert spray(3, "::ffff:9.9.9.9", 20) == [200] * 3
    assert spray(1, "9.9.9.9", 30) == [429]
    settings.PROXIES = 1
    for number in range(8):
        behind = Client(headers={"X-Forwarded-For": f"4.4.4.{number}"})
        assert sign_in(behind, f"{number}@example.com", "wrong").status_code == 200  # type: ignore[attr-defined]


def test_the_limit_of_addresses_can_be_taken_off(db: None, settings: Any) -> None:
    settings.SIGN_IN_FAILURES = 0
    assert spray(60) == [200] * 60


@pytest.mark.django_db
def test_an_address_that_no_account_can_have_is_no_account() -> None:
    """PostgreSQL keeps no more than 255 letters of a failed attempt: the page must not ask it to."""
    answer = Client().post("/sign-in/", {"username": "x" * 10_000, "password": "wrong"})
    assert answer.status_code == 200
    assert AccessAttempt.objects.count() == 0

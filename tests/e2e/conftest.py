"""A real server, a real browser. The server is a process of its own on the tests' database file and folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e.studio import PASSWORD, Server, Work, sign_in
from webapp.accounts.models import User

CHROMIUM = shutil.which("chromium")
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    if connection.vendor != "sqlite":
        pytest.skip("the server of these tests works on the SQLite file")
    running = Server()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Not for the whole session: Playwright's event loop runs in this thread, and other tests need their own there."""
    if CHROMIUM is None:
        pytest.skip("chromium isn't installed")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # These tests ask the database between two calls of Playwright.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser, server: Server) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=server.url)
    yield context
    context.close()


@pytest.fixture
def owner(transactional_db: None) -> User:
    # The server runs with the development settings, whose hasher is not the tests' quick one.
    hasher = Argon2PasswordHasher()
    return User.objects.create(email="owner@example.org", password=hasher.encode(PASSWORD, hasher.salt()))


@pytest.fixture
def page(context: BrowserContext, owner: User) -> Page:
    """The browser, its user signed in."""
    return sign_in(context.new_page(), owner)


@pytest.fixture
def work(owner: User) -> Work:
    return Work(owner)

"""A project whose people have not agreed yet, and what is refused for that, as a browser shows it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.studio import Server, sign_in
from tests.e2e.test_pages_look import check
from tests.web.consents import consent_of
from webapp.accounts.models import User
from webapp.accounts.services import found_team
from webapp.projects.services import create_project

PICTURES = os.environ.get("PICTURES")
"""Folder for pictures of the pages, for people to look at."""


@pytest.mark.parametrize(
    ("language", "colours", "width"), [("en-GB", "light", 1280), ("zh-CN", "dark", 390)], ids=["desk", "telephone"]
)
def test_before_people_agree_pages_say_so(
    chromium: Browser, server: Server, owner: User, language: str, colours: str, width: int
) -> None:
    project = create_project(owner, found_team(owner, "Studio"), "Anna and Bruno", a="Anna", b="Bruno")
    consent_of(project.people.get(side="b"))
    context = chromium.new_context(
        base_url=server.url, locale=language, color_scheme=colours, viewport={"width": width, "height": 800}
    )  # type: ignore[arg-type]
    page = sign_in(context.new_page(), owner)
    for number, (address, status) in enumerate((("", 200), ("a/footage/", 409), ("b/faces/", 409), ("runs/new/", 409))):
        answer = page.goto(f"/projects/{project.pk}/{address}")
        assert answer is not None
        assert answer.status == status
        check(page)
        assert "Anna" in page.inner_text("main")
        if PICTURES:
            page.screenshot(path=Path(PICTURES, f"consent-{width}-{number}.png"), full_page=True)
    context.close()

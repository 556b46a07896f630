"""The page for whoever runs the installation, in a real browser: usable by all, and it cleans up."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from playwright.sync_api import Browser

from tests.e2e.studio import Server, Work, sign_in
from tests.e2e.test_pages_look import check
from webapp.accounts.models import User


def stray() -> Path:
    """A file of two days ago that nothing names."""
    path = Path(default_storage.path(default_storage.save(f"jobs/{uuid.uuid4()}/a.png", ContentFile(b"x" * 5000))))
    then = time.time() - 2 * 24 * 3600
    os.utime(path, (then, then))
    return path


@pytest.mark.parametrize(("language", "colours", "width"), [("en-GB", "light", 1280), ("zh-CN", "dark", 390)])
def test_the_page_of_operations(
    chromium: Browser, server: Server, work: Work, owner: User, language: str, colours: str, width: int
) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    path = stray()
    context = chromium.new_context(
        base_url=server.url, locale=language, color_scheme=colours, viewport={"width": width, "height": 800}
    )
    page = sign_in(context.new_page(), owner)
    page.goto("/operations/")
    check(page)
    page.locator("#clean-heading ~ details summary").click()
    assert page.get_by_text(path.name).is_visible()
    check(page)
    if pictures := os.environ.get("PICTURES"):
        page.screenshot(path=Path(pictures, f"operations-{language}-{colours}-{width}.png"), full_page=True)
    assert path.exists()
    page.locator("form[action='/operations/clean-up/'] button").click()
    page.wait_for_selector(".note.success")
    assert not path.exists()
    check(page)
    page.goto("/jobs/")
    check(page)
    if pictures:
        page.screenshot(path=Path(pictures, f"jobs-{language}-{colours}-{width}.png"), full_page=True)
    context.close()

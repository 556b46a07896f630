"""Every page in both languages, both sets of colours, on a telephone and on a desk: usable by all, inside its width."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from faceengine.events import Losses, Message, Progress
from faceengine.jobs import transitions
from tests.e2e.studio import Server, Work, sign_in
from tests.web.consents import any_mandate
from webapp.accounts.models import User

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"


def addresses(work: Work) -> list[str]:
    return ["/jobs/", work.address, f"{work.address}logs/1/", "/jobs/ended/done/", "/jobs/queued/gpu/"]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_pages_are_usable_by_all(
    chromium: Browser, server: Server, work: Work, owner: User, language: str, colours: str, width: int
) -> None:
    work.tell(
        Progress("train", 1, 400, "iterations", 4.0),
        Losses(1, {"a.reconstruction": 1.0, "b.reconstruction": 2.0}, 60.0),
        Message("warning", "train.few", "Few crops"),
    )
    work.keep("logs/1.log", b"<script>alert(1)</script>\n" * 50)
    for title in ("Next", "Last"):
        config = {"a": "a", "b": "b"}
        transitions.submit("train", config, owner=owner, title=title, slot_kind="gpu", mandate=any_mandate(owner))
    context = chromium.new_context(
        base_url=server.url, locale=language, color_scheme=colours, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/sign-in/")
    check(page)
    sign_in(page, owner)
    for address in addresses(work):
        page.goto(address)
        page.wait_for_load_state("networkidle") if address != work.address else page.wait_for_selector("canvas")
        check(page)
    assert page.locator("html").get_attribute("lang") == ("zh-Hans" if language == "zh-CN" else "en")
    assert complaints == []
    context.close()


def check(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{page.url} is too wide"
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))")
    assert found == [], page.url


def test_language_and_colours_are_chosen_by_hand(page: Page) -> None:
    page.locator("header .menu summary").click()
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.locator("header .menu summary").click()
    page.get_by_role("button", name="简体中文").click()
    assert page.get_by_role("heading", level=1).inner_text() == "项目"


def test_everything_is_reached_by_keyboard(page: Page, work: Work) -> None:
    page.goto(work.address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.innerText"))
    assert {"Jobs", "Pause", "Cancel"} <= reached


def test_an_address_that_is_none_has_a_page_of_the_studio_s_own(page: Page) -> None:
    for address in ("/nothing/", "/projects/999/"):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 404
        assert "URLconf" not in page.content()
        expect(page.get_by_role("link", name="Projects")).to_be_visible()
        check(page)

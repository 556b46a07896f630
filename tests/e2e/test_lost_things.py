"""What a browser keeps when the session ends, the server goes away, or a person withdraws; and what it lets go of."""

from __future__ import annotations

import re
from pathlib import Path

from django.contrib.sessions.models import Session
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.studio import PASSWORD, Server, until
from tests.e2e.test_curation import address, face_set  # noqa: F401 - fixtures
from tests.web.consents import consented
from webapp.accounts.models import User
from webapp.accounts.services import found_team
from webapp.consent.models import Consent
from webapp.consent.services import withdraw
from webapp.curation.models import FaceSet, Verdict
from webapp.projects.services import create_project
from webapp.uploads.models import Asset

SOON = 20_000


def test_an_upload_goes_on_after_another_sign_in(
    page: Page, context: BrowserContext, owner: User, tmp_path: Path
) -> None:
    project = consented(create_project(owner, found_team(owner, "Team"), "Film"))
    page.goto(f"/projects/{project.pk}/a/footage/")
    Session.objects.all().delete()
    file = tmp_path / "clip.mp4"
    file.write_bytes(bytes(3 << 20))
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator(".sending .bad")).to_have_text(re.compile("You are signed out"), timeout=SOON)
    page.locator("input[type=file]").set_input_files(file)  # chosen again, it is still one file
    expect(page.locator(".sending li")).to_have_count(1)
    with context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in another tab").click()
    other = opened.value
    other.fill("[name=username]", owner.email)
    other.fill("[name=password]", PASSWORD)
    other.click("button.main")
    other.wait_for_url(re.compile(r"://[^/]+/$"))
    other.close()
    expect(page.locator(".sending li")).to_have_count(0, timeout=SOON)
    assert [(asset.name, asset.size) for asset in Asset.objects.all()] == [("clip.mp4", 3 << 20)]
    expect(page.locator("[data-signed-out]")).to_be_hidden()
    # A form of the page, which is older than the sign-in, is sent as well.
    page.locator("header .menu summary").click()
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_a_menu_closes_by_escape_and_by_a_click_elsewhere(page: Page) -> None:
    menu = page.locator("header details.menu")
    menu.locator("summary").click()
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    menu.locator("summary").click()
    assert menu.get_attribute("open") is not None
    page.locator("h1").click()
    assert menu.get_attribute("open") is None


def test_the_next_verdict_is_about_a_face_that_is_seen_to_be_marked(page: Page, address: str) -> None:  # noqa: F811
    page.goto(address)
    marked = page.locator(".tile[data-cursor]")
    expect(marked).to_have_attribute("id", "crop-1")
    assert marked.evaluate("(tile) => getComputedStyle(tile).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")  # nothing has the focus yet
    expect(marked).to_have_attribute("id", "crop-2")
    page.locator("#crop-5").click()
    expect(marked).to_have_attribute("id", "crop-5")
    page.mouse.wheel(0, 4000)
    until(page, "scrollY > 1500")
    page.keyboard.press("x")
    expect(page.locator("#said")).to_contain_text("out of view")
    expect(marked).to_be_in_viewport()
    assert not Verdict.objects.exists()
    page.keyboard.press("x")
    expect(page.locator("#crop-5")).to_have_attribute("data-state", "rejected")


def test_verdicts_wait_for_a_server_that_is_away(page: Page, address: str, server: Server) -> None:  # noqa: F811
    page.goto(address)
    page.locator("#crop-1").click()
    server.stop(kill=True)
    for key in ("x", "p", "x"):
        page.keyboard.press(key)
    expect(page.locator("#trouble")).to_contain_text("3 verdicts are kept on this page", timeout=SOON)
    expect(page.locator("#crop-1")).to_have_attribute("data-pending", "")
    server.start()
    for number, state in ((1, "rejected"), (2, "kept"), (3, "rejected")):
        expect(page.locator(f"#crop-{number}")).to_have_attribute("data-state", state, timeout=SOON)
    expect(page.locator("#trouble")).to_be_hidden(timeout=SOON)
    given = Verdict.objects.order_by("crop__number").values_list("crop__number", "value")
    assert list(given) == [(1, "reject"), (2, "keep"), (3, "reject")]


def test_nothing_of_who_withdraws_stays_on_the_screen(page: Page, context: BrowserContext, face_set: FaceSet) -> None:  # noqa: F811
    base = f"/projects/{face_set.person.project_id}/a/"
    page.goto(f"{base}faces/")
    expect(page.locator(".tile").first).to_be_visible()
    footage = context.new_page()
    Asset.objects.create(person=face_set.person, name="checking.mp4", size=1, stored=1, state="checking")
    footage.goto(f"{base}footage/")
    expect(footage.get_by_text("checking.mp4")).to_be_visible()
    assert withdraw(Consent.objects.get(person=face_set.person))
    for shown in (page, footage):
        shown.bring_to_front()
        expect(shown.get_by_text("has withdrawn their consent")).to_be_visible(timeout=SOON)
        expect(shown.get_by_role("link", name="View project")).to_be_visible(timeout=SOON)
        expect(shown.locator("img:not(header img)")).to_have_count(0)
    expect(page.locator(".tile")).to_have_count(0)
    expect(footage.get_by_text("checking.mp4")).to_have_count(0)

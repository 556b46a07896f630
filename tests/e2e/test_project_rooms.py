"""A project with all that it can have, in a real browser: usable by all, and two videos that play as one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.studio import ROOT, Server, sign_in, until
from tests.e2e.test_pages_look import check
from tests.web.consents import consented
from tests.web.ways import REPORT, converted, faces, scored, still_of, trained
from webapp.accounts.invitations import invite
from webapp.accounts.models import Role, User
from webapp.accounts.services import found_team
from webapp.projects.models import Project
from webapp.projects.services import create_project
from webapp.studio.models import Conversion, Run

PICTURES = os.environ.get("PICTURES")
"""Folder for pictures of the pages, for people to look at."""


@pytest.fixture
def project(owner: User) -> Project:
    team = found_team(owner, "Studio")
    create_project(owner, team, "The next one")
    return consented(create_project(owner, team, "Anna and Bruno", a="Anna", b="Bruno"))


@pytest.fixture
def run(project: Project) -> Run:
    made = trained(project)
    for number in (10, 20):
        name = default_storage.path(f"{made.job.folder}/previews/{number:06d}.png")
        Image.new("RGB", (640, 256), (9 * number, 80, 120)).save(name)
    return made


@pytest.fixture
def conversion(run: Run) -> Conversion:
    made = converted(run)
    assert made.asset is not None
    for name, clip in ((made.asset.file, "person_a.mp4"), (f"{made.job.folder}/result.mp4", "person_a.mp4")):
        shutil.copy(ROOT / "demo" / clip, default_storage.path(name))
    score = scored(made)
    rows = [{"frame": at, "time": at / 25, "similarity": 0.85 + 0.1 * (at % 7) / 7} for at in range(50)]
    Path(default_storage.path(f"{score.job.folder}/report.json")).write_text(json.dumps(REPORT | {"per_frame": rows}))
    return made


@pytest.mark.parametrize(
    ("language", "colours", "width"),
    [("en-GB", "light", 1280), ("en-GB", "dark", 390), ("zh-CN", "light", 390), ("zh-CN", "dark", 1280)],
)
def test_every_page_is_usable_by_all(
    chromium: Browser, server: Server, conversion: Conversion, owner: User, language: str, colours: str, width: int
) -> None:
    run = conversion.run
    still_of(run)
    invite(run.project.team, "guest@example.org", Role.REVIEWER, owner)
    one, other = run.snapshots.all()
    base = f"/projects/{run.project.pk}"
    addresses = {
        "start": "/",
        "new": "/projects/new/",
        "project": f"{base}/",
        "training": f"{base}/runs/new/?parent={other.pk}",
        "run": f"/runs/{run.pk}/?one={one.pk}&other={other.pk}",
        "conversion": f"/conversions/{conversion.pk}/",
        "scores": f"{base}/scores/",
        "report": f"{base}/scores/report/",
        "networks": "/weights/",
        "api": "/api/",
        "tokens": "/api/tokens/",
        "team": f"/teams/{run.project.team.pk}/",
        "trail": f"/teams/{run.project.team.pk}/trail/",
    }
    context = chromium.new_context(
        base_url=server.url, locale=language, color_scheme=colours, viewport={"width": width, "height": 800}
    )
    page = sign_in(context.new_page(), owner)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for name, address in addresses.items():
        page.goto(address)
        page.wait_for_load_state("load")
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/{name}-{language}-{colours}-{width}.png", full_page=True)
        check(page)
    assert complaints == []
    context.close()


def test_two_videos_play_as_one(page: Page, conversion: Conversion) -> None:
    page.goto(f"/conversions/{conversion.pk}/")
    page.get_by_role("button", name="Play").click()
    before, after = page.locator("video-compare video").all()
    left = page.locator("video-compare figure").first
    for _ in range(100):
        if time_of(after) > 0.6:
            break
        page.wait_for_timeout(100)
    assert time_of(after) > 0.6
    apart = page.locator("video").evaluate_all("([one, other]) => Math.abs(one.currentTime - other.currentTime)")
    assert apart < 0.25
    page.get_by_role("button", name="Pause").click()
    for video in (before, after):
        assert video.evaluate("(video) => video.paused")
    page.locator("[data-time]").fill("2")
    for video in (before, after):
        assert time_of(video) == pytest.approx(2)
    move_handle(page, 0.25)
    assert cut_of(left) == pytest.approx(75, abs=1)
    page.wait_for_timeout(6000)  # the page follows the server meanwhile, and leaves the videos alone
    assert cut_of(left) == pytest.approx(75, abs=1)
    handle = page.get_by_role("slider", name="Visible part of the original video")
    handle.press("End")  # all of it is before the swap
    assert cut_of(left) == 0
    handle.press("Home")
    assert cut_of(left) == 100
    assert handle.get_attribute("aria-valuenow") == "0"
    expect(page.locator(".controls")).to_be_visible()


def test_the_handle_lies_on_the_picture_and_its_right_side_is_after(page: Page, conversion: Conversion) -> None:
    page.goto(f"/conversions/{conversion.pk}/")
    until(page, "document.querySelectorAll('video')[1].readyState > 0")
    boxes = {name: page.get_by_text(name, exact=True).bounding_box() for name in ("Before", "After")}
    picture = page.locator("video-compare video").last.bounding_box()
    assert picture is not None
    assert boxes["Before"]["x"] < picture["x"] + 60 < picture["x"] + picture["width"] - 80 < boxes["After"]["x"]  # type: ignore[index]
    assert picture["width"] / picture["height"] == pytest.approx(640 / 480, rel=0.02)  # no bar beside it is cut
    move_handle(page, 0.9)
    assert cut_of(page.locator("video-compare figure").first) == pytest.approx(10, abs=1)
    page.mouse.click(picture["x"] + 30, picture["y"] + picture["height"] / 2)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def move_handle(page: Page, to: float) -> None:
    """Drag the handle to that part of the picture's width."""
    box = page.locator(".pair").bounding_box()
    handle = page.locator(".handle").bounding_box()
    assert box is not None
    assert handle is not None
    page.mouse.move(handle["x"] + handle["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + to * box["width"], box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()


def cut_of(figure: Locator) -> float:
    """How many percent of its width are cut off at its right."""
    clip: str = figure.evaluate("(figure) => getComputedStyle(figure).clipPath")
    return float(clip.removeprefix("inset(").split()[1].removesuffix("%").removesuffix("px"))


def time_of(video: Locator) -> float:
    seconds: float = video.evaluate("(video) => video.currentTime")
    return seconds


def test_the_way_begins_with_a_form_and_the_next_button(page: Page) -> None:
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name of the project").fill("Demo")
    page.get_by_label("Name of person A").fill("Anna")
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_text("Ask Anna for consent")).to_be_visible()
    page.get_by_role("link", name="Ask for consent").click()
    assert page.url.endswith("/a/consent/")


def test_the_project_s_page_follows_what_happens(page: Page, project: Project) -> None:
    page.goto(f"/projects/{project.pk}/")
    expect(page.get_by_text("Upload footage of Anna.")).to_be_visible()
    faces(project.people.get(side="a"))
    expect(page.get_by_text("Upload footage of Bruno.")).to_be_visible(timeout=15_000)

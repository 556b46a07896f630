"""Consent in a real browser: somebody reads before a camera, a second member accepts, the person withdraws."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.conftest import CHROMIUM, QUIET
from tests.e2e.studio import PASSWORD, Server, sign_in
from tests.e2e.test_pages_look import check
from tests.web.pdfs import pdf
from webapp.accounts.models import Membership, User
from webapp.accounts.proofs import prove_by_mail
from webapp.accounts.services import found_team
from webapp.projects.models import Project
from webapp.projects.services import create_project

PICTURES = os.environ.get("PICTURES")
DEMO = Path(__file__).parents[2] / "demo"
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What makes somebody who speaks sit before the browser's camera: pictures and sound of a clip, again and again."""
    folder = tmp_path_factory.mktemp("camera")
    pictures, sound = folder / "camera.mjpeg", folder / "microphone.wav"
    clip = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-t", "8", "-i", str(DEMO / "held_out_a.mp4")]
    subprocess.run([*clip, "-an", "-c:v", "mjpeg", "-q:v", "3", "-f", "mjpeg", str(pictures)], check=True)
    subprocess.run([*clip, "-vn", "-ar", "48000", str(sound)], check=True)
    return [f"--use-file-for-fake-video-capture={pictures}", f"--use-file-for-fake-audio-capture={sound}"]


@pytest.fixture(scope="module")
def with_camera(speaker: list[str]) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium isn't installed")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET.split(), *CAMERA, *speaker])
        yield browser
        browser.close()


@pytest.fixture
def project(owner: User) -> Project:
    team = found_team(owner, "Studio North")
    hasher = Argon2PasswordHasher()
    editor = User.objects.create(email="editor@example.org", password=hasher.encode(PASSWORD, hasher.salt()))
    Membership.objects.create(team=team, user=editor, role="editor")
    prove_by_mail(editor)
    return create_project(owner, team, "Night Train", a="Anna", b="Bruno")


def context_of(browser: Browser, server: Server, **more: object) -> BrowserContext:
    return browser.new_context(base_url=server.url, permissions=["camera", "microphone"], **more)  # type: ignore[arg-type]


def look(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/consent-{name}.png", full_page=True)
    check(page)


def test_from_asking_to_withdrawing(with_camera: Browser, server: Server, owner: User, project: Project) -> None:
    page = sign_in(context_of(with_camera, server).new_page(), owner)
    page.goto(f"/projects/{project.pk}/")
    page.get_by_role("link", name="Ask for consent").click()
    look(page, "ask")
    page.get_by_role("button", name="Create consent link").click()
    link = page.locator(".once").inner_text()

    anna = context_of(with_camera, server, color_scheme="dark", viewport={"width": 390, "height": 800}).new_page()
    complaints: list[str] = []
    anna.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    anna.goto(link)
    expect(anna.locator(".phrase")).to_be_visible()
    anna.get_by_label("Your name").fill("Anna Example")
    anna.get_by_label("I have read").check()
    uses = anna.locator("[name=purposes]")
    assert [use.is_checked() for use in uses.all()] == [False] * 3
    anna.get_by_role("button", name="Send my consent").click()
    assert uses.first.evaluate("(use) => use.validationMessage") == "Select at least one use."
    for use in uses.all():
        use.check()
    anna.get_by_role("button", name="Send my consent").click()
    expect(anna.get_by_text("Record yourself first.")).to_be_visible()
    anna.get_by_role("button", name="Record", exact=True).click()
    expect(anna.get_by_role("button", name="Stop")).to_be_visible()
    anna.wait_for_timeout(7000)
    anna.get_by_role("button", name="Stop").click()
    expect(anna.get_by_role("button", name="Record again")).to_be_visible()
    look(anna, "agree")
    # The answer comes when the recording has been looked at: seconds, or minutes beside other work.
    anna.get_by_role("button", name="Send my consent").click(timeout=150_000)
    expect(anna.get_by_role("heading", name="Thank you")).to_be_visible(timeout=150_000)
    look(anna, "thanks")
    own = anna.locator("a.once").inner_text()
    assert complaints == []

    page.goto(f"/projects/{project.pk}/a/consent/")
    expect(page.get_by_text("Another member of the team must")).to_be_visible()
    editor = sign_in(context_of(with_camera, server).new_page(), User.objects.get(email="editor@example.org"))
    editor.goto(f"/projects/{project.pk}/a/consent/")
    video = editor.locator(".evidence video")
    video.evaluate("(video) => { video.muted = true; return video.play(); }")
    assert video.evaluate("(video) => video.videoWidth") > 100
    assert video.evaluate("(video) => video.duration") > 1.5
    editor.get_by_text("Refuse consent…").click()
    look(editor, "review")
    editor.get_by_role("button", name="Accept").click()
    expect(editor.locator(".standing.live")).to_be_visible()
    look(editor, "live")

    anna.goto(own)
    expect(anna.get_by_text("Night Train · Studio North")).to_be_visible()
    look(anna, "own")
    anna.get_by_text("Withdraw my consent").click()
    anna.get_by_role("button", name="Withdraw and delete").click()
    expect(anna.get_by_text(re.compile("Withdrawn on"))).to_be_visible()
    look(anna, "withdrawn")
    editor.reload()
    expect(editor.locator(".standing.withdrawn")).to_be_visible()
    expect(editor.locator(".evidence")).to_have_count(0)


def test_a_refused_camera_is_explained(with_camera: Browser, server: Server, owner: User, project: Project) -> None:
    page = sign_in(context_of(with_camera, server, locale="zh-CN").new_page(), owner)
    page.add_init_script("navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('refused'))")
    page.goto(f"/projects/{project.pk}/b/consent/")
    page.locator("form.fields button.main").click()
    page.goto(page.locator(".once").inner_text())
    page.locator("[data-record]").click()
    expect(page.locator("[data-problem]")).to_be_visible()
    look(page, "refused-camera-zh")
    page.locator("[name=way][value=upload]").check()
    expect(page.locator("consent-recorder")).to_be_hidden()
    expect(page.locator("[name=file]")).to_be_visible()


def test_the_team_s_page_on_a_telephone(with_camera: Browser, server: Server, owner: User, project: Project) -> None:
    """A link that is longer than the screen, a question that is taken back, a file that is handed in."""
    narrow = context_of(with_camera, server, color_scheme="dark", viewport={"width": 390, "height": 800})
    page = sign_in(narrow.new_page(), owner)
    page.goto(f"/projects/{project.pk}/a/consent/")
    page.get_by_role("button", name="Create consent link").click()
    look(page, "link-telephone")
    page.get_by_role("button", name="Cancel request").click()
    expect(page.get_by_text("The request is cancelled. Its link no longer works.")).to_be_visible()
    page.get_by_role("button", name="Create consent link").click()
    page.get_by_text("Add consent received another way").click()
    page.locator("[name=file]").set_input_files({"name": "a.pdf", "mimeType": "application/pdf", "buffer": pdf()})
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("Members who can review it: editor@example.org.")).to_be_visible()
    page.get_by_text("Withdraw on behalf of").click()
    look(page, "handed-in-telephone")
    page.get_by_role("button", name="Withdraw and delete").click()
    expect(page.locator(".standing.withdrawn")).to_be_visible()
    expect(page.get_by_role("button", name="Create consent link")).to_be_visible()

"""The whole way in a browser, with real jobs: from signing in to a swapped video that plays, somebody else looking on.

``manage.py up`` runs everything; the footage is a few seconds of the demo's clips; the model is tiny.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from faceengine.video import read_frames
from tests.e2e.studio import PASSWORD, ROOT, installed, people
from tests.jobs.installation import Installation

OWNER, VIEWER = "owner@example.org", "viewer@example.org"
FRAMES = 120
ITERATIONS = 200
LONG = 120_000
"""Milliseconds that a job may take beside other work."""

expect.set_options(timeout=20_000)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path / "studio", UPLOADS_PART_MB="1") as made:
        yield made


@pytest.fixture
def clips(tmp_path: Path) -> dict[str, Path]:
    """The first seconds of both training clips; A's is long enough for several parts."""
    made = {}
    for side, quality in (("a", "4"), ("b", "18")):
        made[side] = tmp_path / f"{side}.mp4"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", ROOT / "demo" / f"person_{side}.mp4"]
        command += [
            "-frames:v",
            str(FRAMES),
            "-t",
            str(FRAMES / 25),
            "-crf",
            quality,
            "-preset",
            "veryfast",
            made[side],
        ]
        subprocess.run(command, check=True)
    assert made["a"].stat().st_size > 2 << 20
    return made


@pytest.fixture
def owner(chromium: Browser, studio: Installation) -> Iterator[Page]:
    yield from signed_in(chromium, studio, OWNER)


@pytest.fixture
def viewer(chromium: Browser, studio: Installation) -> Iterator[Page]:
    yield from signed_in(chromium, studio, VIEWER)


def signed_in(chromium: Browser, studio: Installation, email: str) -> Iterator[Page]:
    """A page of a browser of its own; whatever its console complains of fails the test."""
    context = chromium.new_context(base_url=studio.url, accept_downloads=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/sign-in/")
    page.fill("[name=username]", email)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"://[^/]+/$"))
    yield page
    assert complaints == []
    context.close()


@pytest.mark.timeout(600)
def test_the_whole_way(owner: Page, viewer: Page, studio: Installation, clips: dict[str, Path], tmp_path: Path) -> None:
    project = begin(owner)
    people(studio, "agree")
    viewer.goto(project)
    owner.goto(f"{project}a/footage/")
    viewer.goto(f"{project}a/footage/")
    upload_while_the_server_dies(owner, studio, clips["a"])
    seen_but_not_touched(viewer, owner, project)
    upload(owner, f"{project}b/footage/", clips["b"])
    extract(owner, viewer, project)
    curate(owner, viewer, project)
    run = train(owner, viewer, project)
    train_longer(owner, run)
    preview_frames(owner, run)
    conversion = convert(owner, run)
    compare(owner)
    viewer.goto(conversion)
    score(owner, viewer)
    download(owner, tmp_path)
    look_at_scores(owner, project)


def picture(page: Page, name: str) -> None:
    """Keep what is seen, for people who look at it: ``PICTURES=folder``."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def wait_until(page: Page, what: str) -> None:
    """Until ``what`` is so; Playwright's own waiting evaluates it within the page, whose policy may forbid that."""
    for _ in range(200):
        if page.evaluate(what):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"it never came: {what}")


def begin(page: Page) -> str:
    """A new project; its address."""
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name of the project").fill("The whole way")
    page.get_by_label("Name of person A").fill("Anton")
    page.get_by_label("Name of person B").fill("Berta")
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The whole way")
    return page.url


def upload_while_the_server_dies(page: Page, studio: Installation, clip: Path) -> None:
    """The web process is killed before the second part: the line is gone until another one serves."""
    offsets: list[int] = []

    def cut(route: Route) -> None:
        offsets.append(int(route.request.headers["upload-offset"]))
        if len(offsets) == 2:
            os.kill(studio.pid_of("daphne"), signal.SIGKILL)
        route.continue_()

    page.route(
        re.compile(r"/uploads/"), lambda route: cut(route) if route.request.method == "PATCH" else route.continue_()
    )
    page.locator("input[type=file]").set_input_files(clip)
    expect(page.locator(".asset.ready")).to_have_count(1, timeout=LONG)
    page.unroute_all()
    assert offsets[0] == 0
    assert offsets[1] == 1 << 20
    assert len(offsets) > clip.stat().st_size >> 20  # one was sent again
    assert studio.ask("select size from uploads_asset") == [(clip.stat().st_size,)]


def seen_but_not_touched(viewer: Page, owner: Page, project: str) -> None:
    """The viewer's page has the video too, by itself, and no way to change anything; nor has the viewer's browser."""
    viewer.reload()
    expect(viewer.locator(".asset.ready")).to_have_count(1)
    expect(viewer.locator("input[type=file]")).to_have_count(0)
    expect(viewer.get_by_text("Delete")).to_have_count(0)
    viewer.goto(project)
    expect(viewer.get_by_text("Extract faces", exact=True)).to_have_count(0)
    for address in ("a/extract/", "runs/new/"):
        assert post(viewer, f"{project}{address}") == 403


def post(page: Page, address: str) -> int:
    """The status of a POST as the page's own scripts could send it."""
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
    return page.request.post(address, form={"csrfmiddlewaretoken": token}, headers={"Referer": page.url}).status


def upload(page: Page, address: str, clip: Path) -> None:
    page.goto(address)
    page.locator("input[type=file]").set_input_files(clip)
    expect(page.locator(".asset.ready")).to_have_count(1, timeout=LONG)


def extract(owner: Page, viewer: Page, project: str) -> None:
    """Both people's faces come in while both browsers look on, and neither is reloaded."""
    viewer.goto(project)
    owner.goto(project)
    for side in ("a", "b"):
        card = owner.locator(f"#person-{side}")
        card.locator("summary").click()
        card.locator("[name=every]").fill("3")
        card.get_by_role("button", name="Extract faces").click()
    expect(viewer.locator(".person .state").first).to_be_visible()
    for page in (owner, viewer):
        for side in ("a", "b"):
            expect(page.locator(f"#person-{side}")).to_contain_text("40 of 40 usable", timeout=LONG)


def curate(owner: Page, viewer: Page, project: str) -> None:
    """By keys, with undo; the viewer sees each verdict and can give none."""
    for page in (owner, viewer):
        page.goto(f"{project}a/faces/")
        expect(page.locator("#crop-40")).to_be_attached()
    expect(viewer.get_by_role("button", name="Reject", exact=True)).to_have_count(0)
    owner.locator("#crop-1").focus()
    for key in ("p", "x", "x", "Control+z"):
        owner.keyboard.press(key)
    expect(owner.locator("#said")).to_contain_text("Undone")
    viewer.locator("#crop-5").focus()
    viewer.keyboard.press("x")
    for page in (owner, viewer):
        for number, state in ((1, "kept"), (2, "rejected"), (3, "new"), (5, "new")):
            expect(page.locator(f"#crop-{number}")).to_have_attribute("data-state", state)


def train(owner: Page, viewer: Page, project: str) -> str:
    """Live losses and previews in both browsers; paused, reloaded, gone on with, to the end. The run's address."""
    owner.goto(f"{project}runs/new/")
    owner.get_by_label("Name").fill("Tiny")
    owner.locator("[name=preset]").select_option("tiny")
    owner.get_by_text("Advanced").click()
    for name, value in (("iterations", ITERATIONS), ("preview_every", 25), ("checkpoint_every", 25)):
        owner.locator(f"[name={name}]").fill(str(value))
    owner.get_by_role("button", name=re.compile("^Start training")).click()
    owner.wait_for_url(re.compile(r"/runs/\d+/$"))
    run = owner.url
    viewer.goto(job_of(owner))
    for page in (owner, viewer):
        expect(page.locator("loss-chart canvas")).to_be_visible(timeout=LONG)
        preview = page.locator("preview-strip").get_by_role("img", name="Preview at iteration")
        expect(preview).to_be_visible(timeout=LONG)
    picture(owner, "training")
    expect(viewer.get_by_role("button", name="Pause")).to_have_count(0)
    owner.get_by_role("button", name="Pause").click()
    for page in (owner, viewer):
        expect(page.locator(".job-head .state")).to_have_text("paused")
    owner.reload()
    expect(owner.locator("loss-chart canvas")).to_be_visible()
    before = done(owner)
    assert 0 < before < ITERATIONS
    owner.get_by_role("button", name="Resume").click()
    for page in (owner, viewer):
        expect(page.locator(".job-head .state")).to_have_text("done", timeout=LONG)
    expect(owner.locator("job-progress")).to_contain_text(f"{ITERATIONS} / {ITERATIONS}")
    return run


def train_longer(owner: Page, run: str) -> None:
    """It goes on from where it ended, and two of its previews are laid over each other."""
    owner.goto(run)
    owner.get_by_label("Or up to iteration").fill(str(ITERATIONS + 25))
    owner.get_by_role("button", name="Continue training").click()
    expect(owner.locator("job-progress")).to_contain_text(f"{ITERATIONS + 25} / {ITERATIONS + 25}", timeout=LONG)
    expect(owner.locator(".job-head .state")).to_have_text("done", timeout=LONG)
    owner.reload()
    owner.locator("[name=one]").select_option(label="25")
    owner.locator("[name=other]").select_option(label=str(ITERATIONS + 25))
    owner.get_by_role("button", name="Compare snapshots").click()
    owner.locator("picture-compare .handle").press("Home")
    first = owner.locator("picture-compare figure").first
    assert first.evaluate("(figure) => getComputedStyle(figure).clipPath") == "inset(0px 100% 0px 0px)"
    picture(owner, "trained")


def job_of(page: Page) -> str:
    """The address of the job that the page shows."""
    return page.locator(".job-head a[href^='/jobs/']").first.get_attribute("href") or ""


def done(page: Page) -> int:
    """Iterations that the page says are done."""
    found = re.search(r"(\d+) / \d+", page.locator("job-progress").inner_text())
    assert found is not None
    return int(found[1])


def preview_frames(page: Page, run: str) -> None:
    """A moment is found by the slider and drawn in two ways; the form keeps what was chosen."""
    page.goto(run)
    form = page.locator("#convert form")
    choose_anton(form)
    form.locator("moment-chooser input").fill("2")
    expect(form.locator("[name=at]")).to_have_value("2.00")
    for number, blend in enumerate(("mask", "poisson")):
        form.locator("[name=blend]").select_option(blend)
        form.get_by_role("button", name="Preview this frame").click()
        expect(page.locator(".stills img")).to_have_count(number + 1, timeout=LONG)
        expect(form.locator("[name=blend]")).to_have_value(blend)
        expect(form.locator("[name=at]")).to_have_value("2.0")
    wait_until(page, "[...document.querySelectorAll('.stills img')].every((one) => one.naturalWidth > 1000)")
    picture(page, "stills")


def choose_anton(form: Locator) -> None:
    video = form.locator("[name=asset]")
    video.select_option(video.locator("option", has_text="Anton").first.get_attribute("value") or "")


def convert(page: Page, run: str) -> str:
    """A's own video gets B's face, and frames of it are seen before it is there; the conversion's address."""
    page.goto(run)
    form = page.locator("#convert form")
    choose_anton(form)
    form.get_by_role("button", name="Convert video", exact=True).click()
    page.wait_for_url(re.compile(r"/conversions/\d+/$"))
    expect(page.locator("#film img").first).to_be_visible(timeout=LONG)
    picture(page, "converting")
    expect(page.locator("#video")).to_be_visible(timeout=LONG)
    return page.url


def compare(page: Page) -> None:
    """Both videos play, and the slider shows more of the one or the other."""
    page.reload()
    ready = "document.querySelectorAll('video').length == 2"
    wait_until(page, f"{ready} && [...document.querySelectorAll('video')].every((one) => one.readyState >= 2)")
    page.locator(".handle").press("End")
    before = page.locator("video-compare figure").first
    assert before.evaluate("(figure) => getComputedStyle(figure).clipPath") in ("inset(0px)", "inset(0px 0% 0px 0px)")


def score(owner: Page, viewer: Page) -> None:
    """Both see the score come, and only the owner could ask for it."""
    expect(viewer.get_by_role("button", name="Score this result")).to_have_count(0)
    owner.get_by_role("button", name="Score this result").click()
    for page in (owner, viewer):
        expect(page.locator("#score meter")).to_be_visible(timeout=LONG)


def look_at_scores(page: Page, project: str) -> None:
    """The chart, pictures of frames, and the report for paper, which fits on one page."""
    page.goto(project)
    page.get_by_role("link", name="Scores").click()
    expect(page.locator("similarity-chart canvas")).to_be_visible()
    page.locator(".frames img").first.scroll_into_view_if_needed()
    wait_until(page, "[...document.querySelectorAll('.frames img')].some((one) => one.naturalWidth == 960)")
    picture(page, "scores")
    page.get_by_role("link", name="One-page report").click()
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.wait_for_load_state("networkidle")
    paper = page.pdf(prefer_css_page_size=True)
    assert paper.count(b"/Type /Page\n") == 1
    if folder := os.environ.get("PICTURES"):
        (Path(folder) / "report.pdf").write_bytes(paper)


def download(page: Page, folder: Path) -> None:
    """The file is a video with as many frames as the one that was converted."""
    with page.expect_download() as coming:
        page.locator("#video").get_by_role("link", name="Download").click()
    path = folder / "result.mp4"
    coming.value.save_as(path)
    assert sum(1 for _ in read_frames(path)) == FRAMES

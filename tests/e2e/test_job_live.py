"""A job's page in a real browser: what happens is seen, and neither a reload nor a dead server loses any of it."""

from __future__ import annotations

import re
import time

import cv2
import numpy as np
from playwright.sync_api import BrowserContext, Page, expect

from faceengine.events import Losses, Message, Preview, Progress
from faceengine.jobs import transitions
from tests.e2e.studio import Server, Work, sign_in
from webapp.accounts.models import Membership, User

CHART = "document.querySelector('loss-chart').points.size"


def losses(first: int, last: int) -> list[Losses]:
    return [Losses(at, {"a.reconstruction": 1 / at, "b.reconstruction": 2 / at}, 60.0) for at in range(first, last + 1)]


def wait_for_points(page: Page, count: int) -> None:
    # Playwright's own waiting evaluates text, which the pages' policy forbids.
    end = time.monotonic() + 15
    while page.evaluate(CHART) < count and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert page.evaluate(CHART) == count


def test_progress_losses_previews_and_messages_come_by_themselves(page: Page, work: Work) -> None:
    page.goto(work.address)
    expect(page.get_by_role("heading", name="Anna and Bruno")).to_be_visible()
    work.tell(Progress("train", 120, 400, "iterations", 4.0))
    expect(page.locator("job-progress")).to_contain_text("120 / 400 iterations")
    expect(page.locator("job-progress")).to_contain_text("1 min 10 sec left")
    work.tell(*losses(1, 5))
    wait_for_points(page, 5)
    expect(page.locator("loss-chart canvas")).to_be_visible()
    picture = cv2.imencode(".png", np.full((30, 90, 3), 128, np.uint8))[1].tobytes()
    for iteration in (100, 200):
        work.keep(f"previews/{iteration}.png", picture)
        work.tell(Preview(iteration, f"previews/{iteration}.png"))
    expect(page.get_by_role("img", name="Preview at iteration 200")).to_be_visible()
    assert page.evaluate("document.querySelector('preview-strip img').naturalWidth") == 90
    page.get_by_role("slider").press("ArrowLeft")
    expect(page.get_by_role("img", name="Preview at iteration 100")).to_be_visible()
    work.tell(Message("warning", "train.leans", "Person B <b>lags</b>"))
    expect(page.locator(".said")).to_contain_text("Person B <b>lags</b>")


def test_a_reload_in_the_middle_loses_nothing(page: Page, work: Work) -> None:
    work.tell(*losses(1, 700))
    page.goto(work.address)
    wait_for_points(page, 700)
    work.tell(*losses(701, 710))
    page.reload()
    work.tell(*losses(711, 720))
    wait_for_points(page, 720)


def test_a_server_that_is_killed_and_comes_back_loses_nothing(page: Page, work: Work, server: Server) -> None:
    work.tell(*losses(1, 10))
    page.goto(work.address)
    wait_for_points(page, 10)
    expect(page.get_by_text("Connection lost")).to_be_hidden()
    server.stop(kill=True)
    expect(page.get_by_text("Connection lost")).to_be_visible()
    work.tell(*losses(11, 20))
    server.start()
    wait_for_points(page, 20)
    expect(page.get_by_text("Connection lost")).to_be_hidden()
    work.tell(*losses(21, 22))
    wait_for_points(page, 22)


def test_a_server_that_is_told_to_stop_does_not_wait_for_who_watches(page: Page, work: Work, server: Server) -> None:
    work.tell(*losses(1, 1))
    page.goto(work.address)
    wait_for_points(page, 1)
    begin = time.monotonic()
    server.stop()
    assert time.monotonic() - begin < 5
    expect(page.get_by_text("Connection lost")).to_be_visible()


def test_signing_out_in_another_window_ends_the_line(page: Page, work: Work, context: BrowserContext) -> None:
    page.goto(work.address)
    work.tell(*losses(1, 1))
    wait_for_points(page, 1)
    other = context.new_page()
    other.goto("/jobs/")
    other.locator("header .menu summary").click()
    other.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/sign-in/"), timeout=5000)


def test_who_may_no_longer_watch_is_told(context: BrowserContext, work: Work, owner: User) -> None:
    page = sign_in(context.new_page(), owner)
    page.goto(work.address)
    work.tell(*losses(1, 1))
    wait_for_points(page, 1)
    Membership.objects.filter(user=owner).delete()
    page.evaluate("document.querySelector('job-stream').socket.close()")
    expect(page.get_by_text("You can no longer view this job.")).to_be_visible(timeout=10_000)


def test_the_end_of_a_job_is_seen(page: Page, work: Work) -> None:
    page.goto(work.address)
    expect(page.locator("#head .state")).to_have_text("running")
    transitions.fail(work.job.pk, work.job.attempt, "disk.full", "No space is left", 3)
    expect(page.locator("#head .state")).to_have_text("failed", timeout=10_000)
    expect(page.locator("#head")).to_contain_text("The disk is full")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()


def test_buttons_work_without_scripts(context: BrowserContext, work: Work, owner: User) -> None:
    plain = context.browser.new_context(base_url=page_base(context), java_script_enabled=False)  # type: ignore[union-attr]
    page = sign_in(plain.new_page(), owner)
    page.goto(work.address)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Will pause at the next checkpoint")).to_be_visible()
    work.job.refresh_from_db()
    assert work.job.desired == "pause"
    plain.close()


def page_base(context: BrowserContext) -> str:
    return str(context.new_page().request.get("/sign-in/").url).removesuffix("/sign-in/")


def test_the_list_follows_by_itself(page: Page, work: Work) -> None:
    page.goto("/jobs/")
    row = page.locator(f"#job-{work.job.pk}")
    expect(row.locator(".state")).to_have_text("running")
    row.get_by_role("button", name="Pause").focus()
    work.tell(Progress("train", 7, 9, "iterations", 1.0))
    expect(row).to_contain_text("7 / 9", timeout=10_000)
    expect(row.get_by_role("button", name="Pause")).to_be_focused()
    transitions.finish(work.job.pk, work.job.attempt, {}, 0)
    expect(row.locator(".state")).to_have_text("done", timeout=10_000)

"""``DATA_DIR=FOLDER python -m bench.curation``: the curation room with 5,000 crops in a real Chromium.

The crops are a real extraction of the demo's clip, repeated; the folder must be empty or this bench's own. Every figure
is of one server process, and of what else the machine does meanwhile: its load is printed beside them.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bench.jobs import Figure, report
from bench.jobs_studio import ROOT, free_port, open_studio, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

CROPS = 5000
BULK = 4000
VERDICTS = 60
BETWEEN = 150
"""Milliseconds between two verdicts: a reviewer in a hurry."""
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def main() -> None:
    from playwright.sync_api import sync_playwright

    open_studio()
    address, cookie = room_of(CROPS)
    highest = least_sharp(BULK)
    with serving() as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split())
        context = browser.new_context(base_url=f"http://127.0.0.1:{port}", viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": cookie[0], "value": cookie[1], "domain": "127.0.0.1", "path": "/"}])
        page = context.new_page()
        figures = [first_tiles(context, address, "first tiles, as an extraction leaves them")]
        figures += [first_tiles(context, address, "first tiles, again")]
        other = f"{address}?{urlencode({'view': json.dumps({'sort': 'sharpness'})})}"
        figures += [first_tiles(context, other, "first tiles, in an order whose pictures are not made yet")]
        page.goto(address)
        figures += verdicts(page)
        figures += [bulk(page, address, highest)]
        page.goto(address)
        figures += [scrolling(page)]
        browser.close()
    report(figures)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", file=sys.stderr)


# ---- the room --------------------------------------------------------------------------------------------------------


def room_of(count: int) -> tuple[str, tuple[str, str]]:
    """Address of a room with ``count`` crops, and the session cookie of somebody who owns it."""
    from django.conf import settings
    from django.test import Client

    from bench.consents import agreed
    from webapp.accounts.models import User
    from webapp.accounts.services import found_team
    from webapp.curation.intake import import_crops
    from webapp.curation.models import FaceSet
    from webapp.curation.pictures import prepare
    from webapp.projects.services import create_project

    owner, new = User.objects.get_or_create(email="bench@localhost")
    if new:
        project = create_project(owner, found_team(owner, "Bench"), "Bench")
        agreed(project)
        face_set = FaceSet.objects.create(person=project.people.get(side="a"), folder="faces")
        folder = Path(settings.MEDIA_ROOT, "faces")
        extract_some(folder)
        repeat(folder, count)
        import_crops(face_set, folder)
        prepare(face_set)
    person = FaceSet.objects.get(person__project__team__members=owner).person
    client = Client()
    client.force_login(owner)
    name = settings.SESSION_COOKIE_NAME
    return f"/projects/{person.project_id}/a/faces/", (name, str(client.cookies[name].value))


def least_sharp(count: int) -> float:
    """A sharpness that ``count`` crops of the room don't go beyond."""
    from webapp.curation.models import Crop

    return float(Crop.objects.order_by("sharpness").values_list("sharpness", flat=True)[count - 1])


def extract_some(folder: Path) -> None:
    """A face set of twenty crops, by the engine."""
    from faceengine.extraction.config import ExtractConfig
    from faceengine.extraction.extract import run

    clip = ROOT / "demo" / "person_a.mp4"
    run(ExtractConfig(inputs=(clip,), every=50), folder)
    shutil.copy(clip, folder.parent)


def repeat(folder: Path, count: int) -> None:
    """Let a face set have ``count`` crops: its own again and again, with other measures."""
    connection = sqlite3.connect(folder / "faces.sqlite")
    (own,) = connection.execute("SELECT count(*) FROM crops").fetchone()
    columns = [row[1] for row in connection.execute("PRAGMA table_info(crops)") if row[1] != "id"]
    changed = {
        "frame": "frame + ? * 1000000",
        "sharpness": "sharpness * (0.5 + abs(random() % 1000) / 1000.0)",
        "brightness": "brightness + random() % 30",
        "yaw": "yaw + random() % 20",
    }
    values = ", ".join(changed.get(name, name) for name in columns)
    for again in range(1, -(-count // own)):
        names = ", ".join(columns)
        connection.execute(f"INSERT INTO crops ({names}) SELECT {values} FROM crops WHERE id <= {own}", [again])
    connection.execute("DELETE FROM crops WHERE id > ?", [count])
    connection.commit()
    connection.close()
    for number in range(own + 1, count + 1):
        (folder / "crops" / f"{number:06d}.png").hardlink_to(folder / "crops" / f"{(number - 1) % own + 1:06d}.png")


@contextmanager
def serving() -> Iterator[int]:
    """The studio's web server, for as long as the block runs; its port."""
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-v", "0", "-p", str(port), "webapp.asgi:application"]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=sys.stderr.fileno())
    try:
        wait_until(lambda: _answers(port), 60, "the server's first answer")
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _answers(port: int) -> bool:
    try:
        return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/", timeout=5).status == 200)
    except OSError:
        return False


# ---- figures ---------------------------------------------------------------------------------------------------------


def first_tiles(context: BrowserContext, address: str, name: str) -> Figure:
    """From the click on the room's link until every tile on the screen has its picture."""
    page = context.new_page()
    page.goto(address, wait_until="commit")
    seconds: float = page.evaluate(_FIRST_TILES) / 1000
    page.close()
    return Figure(name, f"{seconds:.2f} s", "≤ 1 s", seconds <= 1)


def verdicts(page: Page) -> list[Figure]:
    """From a key to the verdict on the screen, and to its being saved."""
    page.locator(".tile").first.focus()
    page.evaluate(_WATCH_VERDICTS)
    for at in range(VERDICTS):
        page.keyboard.press("x" if at % 3 else "p")
        page.wait_for_timeout(BETWEEN)
    page.wait_for_timeout(1000)
    found: dict[str, list[float]] = page.evaluate("window.measured")
    assert len(found["saved"]) == VERDICTS, f"{len(found['saved'])} of {VERDICTS} verdicts were saved"
    return [_p95("verdict visible", found["seen"], 50), _p95("verdict saved", found["saved"], 150)]


def bulk(page: Page, address: str, highest: float) -> Figure:
    """From the press of a button to 4,000 crops rejected, saved and shown, those that are loaded among them."""
    view = json.dumps({"ranges": {"sharpness": [None, highest]}})
    page.goto(f"{address}?{urlencode({'view': view})}")
    page.locator(".tile").first.focus()
    page.keyboard.press("Control+a")
    page.get_by_text(f"{BULK:,} selected").wait_for()
    seconds: float = page.evaluate(_BULK) / 1000
    return Figure(f"bulk on {BULK:,} crops", f"{seconds:.2f} s", "≤ 1 s", seconds <= 1)


def scrolling(page: Page) -> Figure:
    """The longest task of the page while all crops are scrolled through."""
    page.evaluate("window.long = []; new PerformanceObserver((list) => long.push(...list.getEntries().map((e) => "
                  "e.duration))).observe({ type: 'longtask' })")  # fmt: skip
    page.mouse.move(640, 400)
    deadline = time.monotonic() + 180
    while page.locator(".tile").count() < CROPS:
        assert time.monotonic() < deadline, "not all crops came"
        page.mouse.wheel(0, 1200)
        page.wait_for_timeout(30)
    longest = max(page.evaluate("window.long"), default=0.0)
    return Figure("longest task while scrolling", f"{longest:.0f} ms", "≤ 100 ms", longest <= 100)


def _p95(name: str, values: list[float], most: int) -> Figure:
    p95 = statistics.quantiles(values, n=100)[94]
    text = f"p50 {statistics.median(values):.0f} ms, p95 {p95:.0f} ms"
    return Figure(name, text, f"p95 ≤ {most} ms", p95 <= most)


_FIRST_TILES = """() => new Promise((resolve) => {
  const look = () => {
    const tiles = [...document.querySelectorAll('.tile')].filter((t) => t.getBoundingClientRect().top < innerHeight);
    const there = tiles.length && tiles.every((t) => t.firstChild.complete && t.firstChild.naturalWidth);
    there ? resolve(performance.now()) : requestAnimationFrame(look);
  };
  look();
})"""

_WATCH_VERDICTS = """() => {
  window.measured = { seen: [], saved: [] };
  const begun = new Map();
  let pressed = 0;
  addEventListener('keydown', () => { pressed = performance.now(); }, true);
  const painted = (done) => requestAnimationFrame(() => { const c = new MessageChannel();
    c.port1.onmessage = () => done(performance.now()); c.port2.postMessage(0); });
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (target.hasAttribute('data-pending') && !begun.has(target)) {
        const from = pressed;
        begun.set(target, from);
        painted((now) => measured.seen.push(now - from));
      } else if (!target.hasAttribute('data-pending') && begun.has(target)) {
        measured.saved.push(performance.now() - begun.get(target));
        begun.delete(target);
      }
    }
  }).observe(document.querySelector('crop-grid'), { attributeFilter: ['data-pending'], subtree: true });
}"""

_BULK = """() => new Promise((resolve) => {
  const begun = performance.now();
  const grid = document.querySelector('crop-grid');
  document.querySelector('[data-do=reject]').click();
  const look = () => {
    const done = !grid.querySelector('.tile:not([data-state=rejected])') && !grid.querySelector('[data-pending]');
    done ? resolve(performance.now() - begun) : requestAnimationFrame(look);
  };
  look();
})"""


if __name__ == "__main__":
    main()

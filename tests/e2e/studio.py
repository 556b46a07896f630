"""The server, the person and the work that the browser tests are about."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from django.conf import settings
from django.db import connection
from playwright.sync_api import Page

from faceengine.events import Event
from faceengine.jobs import transitions
from faceengine.jobs.models import Job, Slot
from tests.jobs.installation import Installation
from tests.jobs.servers import end_with_parent
from tests.web.consents import any_mandate
from webapp.accounts.models import User

ROOT = Path(__file__).parents[2]
PASSWORD = "a long password"


class Server:
    """Daphne with the studio, on a port that stays the same when it is started again."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "webapp.settings.development",
            "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
            "DATA_DIR": str(Path(settings.MEDIA_ROOT).parent),
            "CONSENT_KEYS_DIR": str(settings.CONSENT_KEYS_DIR),
        }
        command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port), "webapp.asgi:application"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, preexec_fn=end_with_parent
        )
        end = time.monotonic() + 30
        while not self._answers():
            assert time.monotonic() < end, "the server doesn't answer"
            time.sleep(0.1)

    def stop(self, *, kill: bool = False) -> None:
        if self._process is not None:
            self._process.kill() if kill else self._process.terminate()
            self._process.wait(30)
            self._process = None

    def _answers(self) -> bool:
        try:
            return bool(urlopen(f"{self.url}/sign-in/", timeout=5).status == 200)
        except OSError:  # also a time-out: the first page takes long on a busy machine
            return False


def people(studio: Installation, what: str) -> str:
    """What ``whole_way_people`` does there, and says."""
    command = [sys.executable, "-m", "tests.e2e.whole_way_people", what]
    done = subprocess.run(command, cwd=ROOT, env=studio.environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


@contextmanager
def installed(folder: Path, **environment: str) -> Iterator[Installation]:
    """An installation that is up, with its two people."""
    made = Installation(folder, **environment)
    people(made, "accounts")
    made.up()
    try:
        yield made
    finally:
        made.close()


def sign_in(page: Page, user: User) -> Page:
    page.goto("/sign-in/")
    page.fill("[name=username]", user.email)
    page.fill("[name=password]", PASSWORD)
    page.click("button.main")
    page.wait_for_url(re.compile(r"://[^/]+/$"))
    return page


class Work:
    """A training that a slot has claimed; events are told as its runner tells them."""

    def __init__(self, owner: User) -> None:
        submitted = transitions.submit(
            "train",
            {"a": "faces/a", "b": "faces/b"},
            owner=owner,
            title="Anna and Bruno",
            slot_kind="gpu",
            mandate=any_mandate(owner),
        )
        slot = Slot.objects.create(host="here", name="gpu0", kind="gpu", pid=1, version="1")
        claimed = transitions.claim(slot)
        assert claimed == submitted
        self.job: Job = claimed

    def tell(self, *events: Event) -> None:
        assert transitions.record(self.job.pk, self.job.attempt, events)

    def keep(self, name: str, content: bytes) -> None:
        path = Path(settings.MEDIA_ROOT, self.job.folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    @property
    def address(self) -> str:
        return f"/jobs/{self.job.pk}/"


def until(page: Page, expression: str, within: float = 10.0) -> None:
    """Wait for a JavaScript expression to be true. Playwright's own wait evaluates text, which the pages forbid."""
    end = time.monotonic() + within
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"not within {within:.0f} s: {expression}"
        time.sleep(0.05)

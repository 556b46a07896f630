"""``python -m bench.uploads [--mib N] [--write FILE]``: large files to the studio and back, beside a plain copy.

Both go through the same server, Daphne, on this machine. The yardstick is an ASGI application of its own that writes
what comes into a file, and reads a file back, and does nothing else: no session, no database, no checks. Parts are of
the same size in both. Memory is the server process's, sampled 20 times a second, above what it had when idle.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import http.client
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.__main__ import between, machine
from bench.jobs import Figure, table
from faceengine.files import replace_file

BEGIN, END = "<!-- bench-uploads: begin -->", "<!-- bench-uploads: end -->"
MIB = 1 << 20
PART = 16 * MIB
READ = 256 << 10
ROOT = Path(__file__).parents[1]


# ---- the yardstick ---------------------------------------------------------------------------------------------------


async def plain(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Write a PATCH's body behind the file ``PLAIN_FILE``; answer a GET with the file."""
    path = Path(os.environ["PLAIN_FILE"])
    if scope["method"] == "GET":
        await _give(path, send)
        return
    with path.open("ab") as file:
        while True:
            message = await receive()
            file.write(message.get("body", b""))
            if not message.get("more_body"):
                break
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def _give(path: Path, send: Callable[[Any], Awaitable[None]]) -> None:
    length = str(path.stat().st_size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, READ):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


# ---- servers ---------------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """Daphne with some application, and what memory it takes."""

    process: subprocess.Popen[bytes]
    port: int
    peak: int = 0

    def memory(self) -> int:
        """Bytes that are resident."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS"))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Leaves in :attr:`peak` how far memory rose meanwhile, in bytes."""
        idle, done = self.memory(), threading.Event()
        self.peak = 0

        def watch() -> None:
            while not done.wait(0.05):
                self.peak = max(self.peak, self.memory() - idle)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield
        finally:
            done.set()
            watching.join()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)


@contextmanager
def daphne(application: str, **variables: str) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), application]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables)
    try:
        _wait_for(port)
        time.sleep(2)
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("the server does not answer")


# ---- what is measured ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moved:
    """One way of a large file."""

    seconds: float
    memory: int
    first_byte: float = 0.0

    def rate(self, size: int) -> float:
        """MB/s."""
        return size / self.seconds / 1e6


def send_plain(server: Server, size: int) -> Moved:
    line, part = server.connect(), os.urandom(PART)
    started = time.monotonic()
    with server.watched():
        for offset in range(0, size, PART):
            _ask(line, "PATCH", "/", part[: size - offset])
    return Moved(time.monotonic() - started, server.peak)


def send_tus(server: Server, size: int, headers: dict[str, str], url: str) -> Moved:
    line, part = server.connect(), os.urandom(PART)
    headers = headers | {"Tus-Resumable": "1.0.0"}
    name = base64.b64encode(b"large.mp4").decode()
    made = _ask(line, "POST", url, b"", headers | {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"})
    location = made.headers["Location"]
    headers |= {"Content-Type": "application/offset+octet-stream"}
    started = time.monotonic()
    with server.watched():
        for offset in range(0, size, PART):
            _ask(line, "PATCH", location, part, headers | {"Upload-Offset": str(offset)})
    return Moved(time.monotonic() - started, server.peak)


def fetch(server: Server, url: str, headers: dict[str, str]) -> Moved:
    line = server.connect()
    started = time.monotonic()
    with server.watched():
        line.request("GET", url, headers=headers)
        response = line.getresponse()
        assert response.status == 200, response.status
        response.read(1)
        first_byte = time.monotonic() - started
        while response.read(READ):
            pass
    return Moved(time.monotonic() - started, server.peak, first_byte)


def _ask(
    line: http.client.HTTPConnection, method: str, url: str, body: bytes, headers: dict[str, str] | None = None
) -> http.client.HTTPResponse:
    line.request(method, url, body, headers or {})
    response = line.getresponse()
    response.read()
    assert response.status < 300, (response.status, response.headers.items())
    return response


def measure(size: int, folder: Path) -> list[Figure]:
    """All figures for a file of ``size`` bytes, a multiple of a part."""
    asset, upload_url, headers = studio(size)
    with daphne("bench.uploads:plain", PLAIN_FILE=str(folder / "plain")) as server:
        plain_up, plain_down = send_plain(server, size), fetch(server, "/", {})
        (folder / "plain").unlink()
        _ask(server.connect(), "PATCH", "/", bytes(MIB))
        with server.watched():
            _ask(server.connect(), "PATCH", "/", bytes(256 * MIB))
        single = server.peak
    with daphne("webapp.asgi:application") as server:
        _ask(server.connect(), "GET", "/jobs/", b"", headers)
        up = send_tus(server, size, headers, upload_url)
        down = fetch(server, f"/assets/{asset}/file/", headers)
    return [
        _compared("upload", size, up, plain_up),
        _memory("upload", up),
        _compared("download", size, down, plain_down),
        _memory("download", down),
        Figure("download: first byte", f"{down.first_byte:.3f} s", "≤ 0.2 s", down.first_byte <= 0.2),
        Figure("why parts: memory of Daphne alone for one body of 256 MiB", f"{single / 1e6:.0f} MB above idle"),
    ]


def _compared(what: str, size: int, ours: Moved, yardstick: Moved) -> Figure:
    share = ours.rate(size) / yardstick.rate(size)
    found = f"{ours.rate(size):.0f} MB/s, plain {yardstick.rate(size):.0f}: {share:.0%}"
    return Figure(f"{what} of {size >> 20} MiB", found, "≥ 60 %", share >= 0.6)


def _memory(what: str, ours: Moved) -> Figure:
    return Figure(f"{what}: server memory", f"{ours.memory / 1e6:.0f} MB above idle", "≤ 150 MB", ours.memory <= 150e6)


def studio(size: int) -> tuple[int, str, dict[str, str]]:
    """An empty studio with one asset of ``size`` bytes: its id, where to upload, and a signed-in browser's headers."""
    import django

    django.setup()
    from django.core.files.storage import default_storage
    from django.core.management import call_command
    from django.test import Client

    from bench.consents import agreed
    from faceengine.jobs.models import Job
    from webapp.accounts.models import User
    from webapp.accounts.services import found_team
    from webapp.projects.services import create_project
    from webapp.uploads.models import Asset

    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("owner@example.org", secrets.token_hex(16))
    project = create_project(owner, found_team(owner, "Team"), "Project")
    person = project.people.get(side="a")
    job = Job.objects.create(kind="intake", slot_kind="cpu", state="done", mandate=agreed(project))
    asset = Asset.objects.create(
        person=person, name="large.mp4", job=job, size=size, stored=size, state="ready", file=f"{job.folder}/large.mp4"
    )
    path = Path(default_storage.path(asset.file))
    path.parent.mkdir(parents=True)
    part = os.urandom(PART)
    with path.open("wb") as file:
        for _ in range(size // PART):
            file.write(part)
    client = Client()
    client.force_login(owner)
    token = secrets.token_hex(16)
    headers = {"Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={token}", "X-CSRFToken": token}
    return asset.pk, f"/projects/{person.project_id}/a/uploads/", headers


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m bench.uploads", description="Large files to the studio and back.")
    parser.add_argument("--mib", type=int, default=1024, help="size of the file, in parts of 16 (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"put the table between {BEGIN} and {END} of FILE")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bench-uploads-") as folder:
        os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "webapp.settings.development"}
        text = f"{machine()}\n\n{table(measure(arguments.mib // 16 * PART, Path(folder)))}"
    print(text)
    if arguments.write:
        replace_file(arguments.write, between(arguments.write.read_text(), text, BEGIN, END).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())

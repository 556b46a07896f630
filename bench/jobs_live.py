"""From the runner's writing of an event to the browser's reading of it, on the embedded default.

The server is a process of its own; one process writes the events as a runner does, another one is the browsers.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from bench.jobs import Figure, report
from bench.jobs_studio import ROOT, free_port, memory, open_studio, wait_until

EVENTS = 100
PAUSE = 0.2
"""Between two events of a job: what its runner lets through at most."""


def main() -> None:
    open_studio()
    figures: list[Figure] = []
    figures += watched(20, "20 watchers", 0.25)
    figures += watched(1000, "1,000 watchers of one job", 1.0, memory_limit=400)
    report(figures)


def watched(watchers: int, name: str, slowest: float, memory_limit: int | None = None) -> list[Figure]:
    """Latency of every event at every watcher, events that did not come, and the server's memory."""
    job, cookie = running_job()
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), "webapp.asgi:application"]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(port), 60, "the server's first answer")
        watching = [sys.executable, "-m", "bench.jobs_live", str(port), str(job.id), cookie, str(watchers)]
        browsers = subprocess.Popen(watching, stdout=subprocess.PIPE, text=True)
        assert browsers.stdout is not None
        assert browsers.stdout.readline() == "all there\n"
        peak = _Peak(server.pid)
        write_events(job)
        found = json.loads(browsers.communicate(timeout=120)[0])
        most = peak.end()
    finally:
        server.terminate()
        server.wait(30)
    p50, p95 = (statistics.quantiles(found["seconds"], n=100)[rank - 1] for rank in (50, 95))
    lost = found["lost"]
    figures = [
        Figure(f"event to browser, {name}", f"p50 {1e3 * p50:.0f} ms, p95 {1e3 * p95:.0f} ms",
               f"p95 ≤ {1e3 * slowest:.0f} ms", p95 <= slowest),
        Figure(f"events lost, {name}", f"{lost} of {watchers * EVENTS}", "0", lost == 0),
    ]  # fmt: skip
    if memory_limit is not None:
        text, reached = f"{most:.0f} MB", most <= memory_limit
        figures.append(Figure(f"memory of the server, {name}", text, f"≤ {memory_limit} MB", reached))
    return figures


def running_job() -> tuple[Any, str]:
    """A job that this process runs, and the session cookie of its owner."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.contrib.sessions.backends.db import SessionStore
    from django.test import Client

    from bench.consents import mandate
    from faceengine.jobs import transitions
    from faceengine.jobs.models import Slot

    owner, _ = get_user_model().objects.get_or_create(email="bench@localhost")
    slot, _ = Slot.objects.get_or_create(host="bench", name="gpu0", kind="gpu", defaults={"pid": os.getpid()})
    transitions.submit("train", {"a": "faces/a", "b": "faces/b"}, owner=owner, mandate=mandate())
    job = transitions.claim(slot)
    assert job is not None
    client = Client()
    client.force_login(owner)
    assert isinstance(client.session, SessionStore)
    return job, str(client.cookies[settings.SESSION_COOKIE_NAME].value)


def write_events(job: Any) -> None:
    """Messages that carry the time at which they were written; the job ends after them."""
    from faceengine.events import Message
    from faceengine.jobs import transitions

    for number in range(EVENTS):
        began = time.monotonic()
        assert transitions.record(job.id, job.attempt, [Message("info", f"bench.{number}", repr(time.time()))])
        transitions.beat(job.id, job.attempt)
        time.sleep(max(0.0, PAUSE - (time.monotonic() - began)))
    transitions.finish(job.id, job.attempt, {}, 0)


class _Peak:
    """The largest memory of a process while this object looks."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most = pid, 0.0
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> float:
        self._enough.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while not self._enough.wait(0.5):
            self._most = max(self._most, memory([self._pid]))


def _answers(port: int) -> bool:
    import urllib.error
    import urllib.request

    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


# -- the browsers' process ---------------------------------------------------------------------------------------------


async def watch(port: int, job: str, cookie: str, watchers: int) -> None:
    """Open all sockets, say so, and print the seconds that each event took to each of them, and how many were lost."""
    there = asyncio.Barrier(watchers + 1)
    # A browser opens a socket when its page is there; a thousand at the same instant would only measure the queue.
    gate = asyncio.Semaphore(20)
    tasks = [asyncio.create_task(_watcher(port, job, cookie, there, gate)) for _ in range(watchers)]
    await there.wait()
    print("all there", flush=True)
    seconds = await asyncio.gather(*tasks)
    lost = sum(EVENTS - len(one) for one in seconds)
    print(json.dumps({"seconds": [value for one in seconds for value in one.values()], "lost": lost}))


async def _watcher(
    port: int, job: str, cookie: str, there: asyncio.Barrier, gate: asyncio.Semaphore
) -> dict[str, float]:
    """Seconds to this watcher by the event's code."""
    seconds: dict[str, float] = {}
    async with gate:
        reader, writer = await _patiently(port, f"/ws/jobs/{job}/?after=0", cookie)
    await there.wait()
    async for text in _messages(reader):
        now = time.time()
        for event in json.loads(text):
            data = event["data"]
            if event["kind"] == "message" and data["code"].startswith("bench."):
                seconds[data["code"]] = now - float(data["text"])
        if f"bench.{EVENTS - 1}" in seconds:
            break
    writer.close()
    return seconds


async def _patiently(port: int, path: str, cookie: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket, at the second try or a later one if the server is too busy; browsers do the same."""
    for pause in (0.5, 1, 2, 4):
        with suppress(OSError, asyncio.IncompleteReadError):
            return await _connect(port, path, cookie)
        await asyncio.sleep(pause)
    return await _connect(port, path, cookie)


async def _connect(port: int, path: str, cookie: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket, opened as a browser does (RFC 6455)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [
        f"GET {path} HTTP/1.1", f"Host: localhost:{port}", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "Sec-WebSocket-Version: 13",
        f"Origin: http://localhost:{port}", f"Cookie: sessionid={cookie}", "", "",
    ]  # fmt: skip
    writer.write("\r\n".join(lines).encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if b" 101 " not in answer.splitlines()[0]:
        raise ConnectionError(answer.decode())
    return reader, writer


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    """The texts that the server sends, until it closes or is silent for a minute."""
    while True:
        try:
            first, length = await asyncio.wait_for(reader.readexactly(2), 60)
            if length == 126:
                length = int.from_bytes(await reader.readexactly(2))
            elif length == 127:
                length = int.from_bytes(await reader.readexactly(8))
            data = await reader.readexactly(length)
        except (asyncio.IncompleteReadError, TimeoutError):
            return
        if first & 0x0F == 8:
            return
        if first & 0x0F == 1:
            yield data.decode()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(watch(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
    else:
        main()

"""Fetching by itself: bounded in time, whole or not at all, told once, and seen while it goes on."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from faceengine import fetching
from faceengine.errors import InputError
from faceengine.events import Progress
from faceengine.fetching import Fetching, fetch_missing, in_words
from faceengine.files import only_process
from faceengine.jobs import machine
from faceengine.weights import WEIGHTS, Weight, find

CONTENT = bytes(range(256)) * 8192
ROOT = Path(__file__).resolve().parents[2]


class Server:
    """A real HTTP server on this machine; ``cut_after`` bytes it cuts a connection, ``pause`` it waits at half-way."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.cut_after: list[int] = []
        self.pause = threading.Event()
        self.pause.set()
        self.asked: list[str] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                span = self.headers.get("Range")
                start = int(span.removeprefix("bytes=").removesuffix("-")) if span else 0
                body = server.content[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if server.cut_after:
                    self.wfile.write(body[: server.cut_after.pop(0)])
                    return
                half = len(body) // 2
                self.wfile.write(body[:half])
                server.pause.wait(20)
                self.wfile.write(body[half:])

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.pause.set()
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where weights go, with none in torch's cache."""
    monkeypatch.setenv("FACEENGINE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "weights"


@pytest.fixture
def enter(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Weight]:
    """Enter small files on the server in the place of those that are downloaded."""
    for name in [name for name, weight in WEIGHTS.items() if weight.carried_by is None]:
        monkeypatch.delitem(WEIGHTS, name)

    def made(name: str, address: str = "", sha256: str = hashlib.sha256(CONTENT).hexdigest()) -> Weight:
        weight = Weight(name, f"{name}.pt", len(CONTENT), sha256, "CC0-1.0", address or f"{server.url}/{name}.pt")
        monkeypatch.setitem(WEIGHTS, name, weight)
        return weight

    return made


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/x.pt"


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()} - {".lock"}


def test_what_is_missing_is_fetched_and_checked(enter: Callable[..., Weight], folder: Path, heard: Any) -> None:
    enter("one")
    enter("two")
    found = fetch_missing(on_event=heard)
    assert (found.running, found.got, found.failed) == (False, ("one", "two"), ())
    assert in_words(found) == ""
    assert files_in(folder) == {"one.pt", "two.pt"}
    assert (folder / "one.pt").read_bytes() == CONTENT
    assert any(isinstance(event, Progress) and event.done == len(CONTENT) for event in heard.events)
    assert fetch_missing() == Fetching()


def test_one_that_is_wrong_keeps_nothing_back(enter: Callable[..., Weight], folder: Path) -> None:
    enter("wrong", sha256="0" * 64)
    enter("right")
    found = fetch_missing()
    assert found.got == ("right",)
    assert found.failed == (("wrong", "weights.hash"),)
    assert files_in(folder) == {"right.pt"}
    assert "wrong" in in_words(found)
    assert "\n" not in in_words(found)


def test_a_cut_connection_goes_on(enter: Callable[..., Weight], server: Server, folder: Path) -> None:
    enter("one")
    server.cut_after = [100_000, 700_000]
    assert fetch_missing().got == ("one",)
    assert (folder / "one.pt").read_bytes() == CONTENT
    assert len(server.asked) == 3


def test_a_connection_that_is_cut_for_good_leaves_nothing_torn(
    enter: Callable[..., Weight], server: Server, folder: Path
) -> None:
    enter("one")
    server.cut_after = [1000] * 10
    assert fetch_missing().failed == (("one", "weights.unreachable"),)
    assert files_in(folder) == set()


def test_silence_costs_seconds_and_not_the_others(
    enter: Callable[..., Weight], silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All servers are asked at once, and in all for no longer than the bound."""
    monkeypatch.setattr(fetching, "PROBE_SECONDS", 0.5)
    enter("mute", silent)
    enter("mute too", silent)
    enter("one")
    began = time.monotonic()
    found = fetch_missing()
    assert time.monotonic() - began < 3
    assert found.got == ("one",)
    assert found.failed == (("mute", "weights.unreachable"), ("mute too", "weights.unreachable"))


def test_a_server_that_falls_silent_is_left(
    enter: Callable[..., Weight], server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "READ_SECONDS", 0.3)
    enter("one")
    server.pause.clear()
    assert fetch_missing().failed == (("one", "weights.unreachable"),)
    assert files_in(folder) == set()


def test_it_stops_when_it_is_asked_to(enter: Callable[..., Weight], folder: Path) -> None:
    enter("one")
    assert fetch_missing(should_stop=lambda: True).got == ()
    assert files_in(folder) == set()
    assert not Fetching.here().running


def test_others_see_how_far_it_is(enter: Callable[..., Weight], server: Server) -> None:
    enter("one")
    assert not Fetching.here().running
    server.pause.clear()
    at_it = threading.Thread(target=fetch_missing)
    at_it.start()
    until = time.monotonic() + 5
    while not (seen := Fetching.here()).done and time.monotonic() < until:
        time.sleep(0.02)
    with pytest.raises(InputError) as error:
        fetch_missing()
    server.pause.set()
    at_it.join()
    assert error.value.code == "folder.busy"
    assert (seen.running, seen.name, seen.total) == (True, "one", len(CONTENT))
    assert 0 < seen.done < len(CONTENT)
    assert Fetching.here().got == ("one",)
    assert not Fetching.here().running


def test_what_a_dead_process_wrote_last_is_not_running(folder: Path) -> None:
    (folder / ".fetching").mkdir(parents=True)
    (folder / ".fetching" / "state.json").write_text(json.dumps({"running": True, "got": [], "failed": []}))
    assert not Fetching.here().running
    with only_process(folder / ".fetching"):
        assert Fetching.here().running


# -- the command -------------------------------------------------------------------------------------------------------


def command(**environment: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "faceengine", "weights", "--fetch", "--if-online"]
    known = {name: value for name, value in os.environ.items() if name != "FETCH_WEIGHTS"}
    return subprocess.run(words, cwd=ROOT, env=known | environment, capture_output=True, text=True, timeout=60)


def test_offline_the_command_says_so_once_and_succeeds(folder: Path) -> None:
    began = time.monotonic()
    done = command(FACEENGINE_WEIGHTS_MIRROR="http://127.0.0.1:9")
    assert time.monotonic() - began < 15
    assert done.returncode == 0
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("Going on without the weights fan-2d and facenet-vggface2 (their servers can't be reached)")


def test_another_file_from_a_mirror_is_not_kept(server: Server, folder: Path) -> None:
    done = command(FACEENGINE_WEIGHTS_MIRROR=f"{server.url}/")
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if line.startswith("Going on without")]
    assert set(server.asked) == {"/2DFAN4-11f355bf06.pth.tar", "/20180402-114759-vggface2.pt"}
    assert files_in(folder) == set()
    assert find("fan-2d") is None


def test_switched_off_nobody_is_asked(server: Server, folder: Path) -> None:
    done = command(FACEENGINE_WEIGHTS_MIRROR=server.url, FETCH_WEIGHTS="0")
    assert (done.returncode, done.stdout, done.stderr, server.asked) == (0, "", "", [])


@pytest.mark.parametrize(("value", "fetches"), [("1", True), ("0", False), ("", False)])
def test_the_studio_has_a_process_for_it_where_that_is_wanted(
    value: str, fetches: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is beside the others, which don't wait for it, and isn't started again once it ends."""
    monkeypatch.setenv("FETCH_WEIGHTS", value)
    children = [child for child in machine.beside() if child.name == "weights"]
    assert [list(child.command[1:]) for child in children] == [
        ["-m", "faceengine", "weights", "--fetch", "--if-online", "--quiet"]
    ] * fetches
    assert all(child.ends for child in children)

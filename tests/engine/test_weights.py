"""Weights: what is known of them is true, they are found where they should be, and a download is whole or not there."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from faceengine import weights
from faceengine.errors import InputError
from faceengine.events import Progress
from faceengine.files import only_process, sha256
from faceengine.weights import WEIGHTS, Weight

CONTENT = bytes(range(256)) * 4096


class Server:
    """A real HTTP server on this machine that can cut connections and ignore ranges."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.cut_after: list[int] = []
        self.ranges = True
        self.asked: list[str | None] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.http.server_port}/small.pt"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                server.asked.append(asked)
                start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.ranges else 0
                body = server.content[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: server.cut_after.pop(0)] if server.cut_after else body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture
def small(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Weight]:
    """Enter a small file on the server among the weights; they go to ``tmp_path / "weights"``."""
    monkeypatch.setenv("FACEENGINE_WEIGHTS", str(tmp_path / "weights"))

    def enter(**changes: Any) -> Weight:
        known = {"size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest(), "source": server.url} | changes
        weight = Weight("small", "small.pt", licence="CC0-1.0", **known)
        monkeypatch.setitem(WEIGHTS, "small", weight)
        return weight

    return enter


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


@pytest.mark.parametrize("name", [name for name, weight in WEIGHTS.items() if weight.carried_by])
def test_what_packages_carry_is_found_and_is_what_we_say(name: str) -> None:
    path = weights.require(name)
    assert path.stat().st_size == WEIGHTS[name].size
    assert sha256(path) == WEIGHTS[name].sha256


def test_every_entry_is_complete() -> None:
    for name, weight in WEIGHTS.items():
        assert weight.name == name
        assert len(bytes.fromhex(weight.sha256)) == 32
        assert weight.licence
        assert weight.source.startswith("https://")
        assert weight.carried_by is None or weight.distribution


def test_fan_hash_begins_with_the_digits_in_its_file_name() -> None:
    fan = WEIGHTS["fan-2d"]
    assert fan.sha256.startswith(fan.file.removesuffix(".pth.tar").split("-")[1])


def test_packages_are_located_without_being_imported() -> None:
    # face_recognition_models imports pkg_resources, which may not be installed.
    code = (
        "import sys; from faceengine import weights; weights.require('dlib-68'); weights.require('mtcnn-p');"
        "assert not {'face_recognition_models', 'facenet_pytorch', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_own_folder_comes_before_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    carried = weights.require("mtcnn-p")
    own = tmp_path / "pnet.pt"
    own.write_bytes(carried.read_bytes())
    monkeypatch.setenv("FACEENGINE_WEIGHTS", str(tmp_path))
    assert weights.require("mtcnn-p") == own


@pytest.mark.parametrize("damage", [b"", b"another file of another size", b"\0" * 28570])
def test_a_damaged_file_is_refused_not_passed_over(
    damage: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pnet.pt").write_bytes(damage)
    monkeypatch.setenv("FACEENGINE_WEIGHTS", str(tmp_path))
    with pytest.raises(InputError) as error:
        weights.require("mtcnn-p")
    assert error.value.code == "weights.hash"
    assert str(tmp_path / "pnet.pt") in str(error.value)


def test_a_file_that_changes_is_hashed_again(small: Callable[..., Weight]) -> None:
    small()
    path = weights.fetch("small")
    assert weights.require("small") == path
    path.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(InputError, match=r"small\.pt"):
        weights.require("small")


def test_torch_cache_is_searched(small: Callable[..., Weight], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert weights.find("small") is None
    for folder in ("hub/checkpoints", "checkpoints"):
        path = tmp_path / "torch" / folder / "small.pt"
        path.parent.mkdir(parents=True)
        path.write_bytes(CONTENT)
        assert weights.require("small") == path
        path.unlink()


def test_missing_weights_name_the_command_that_gets_them(small: Callable[..., Weight]) -> None:
    small()
    with pytest.raises(InputError, match="python -m faceengine weights --fetch") as error:
        weights.require("small")
    assert error.value.code == "weights.missing"


def test_missing_package_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = Weight("lost", "x.pt", 1, "0" * 64, "MIT", "https://example.org", "no_such_package/x.pt", "no-such-package")
    monkeypatch.setitem(WEIGHTS, "lost", lost)
    for ask in (weights.require, weights.fetch):
        with pytest.raises(InputError, match="pip install no-such-package") as error:
            ask("lost")
        assert error.value.code == "weights.missing"


def test_fetch_downloads_checks_and_publishes(small: Callable[..., Weight], heard: Any, tmp_path: Path) -> None:
    small()
    path = weights.fetch("small", on_event=heard)
    assert path == tmp_path / "weights" / "small.pt"
    assert path.read_bytes() == CONTENT
    assert left_in(path.parent) == {"small.pt"}
    last = heard.events[-1]
    assert isinstance(last, Progress)
    assert (last.stage, last.done, last.total, last.unit) == ("weights", len(CONTENT), len(CONTENT), "bytes")


def test_what_is_here_is_not_downloaded_again(small: Callable[..., Weight], server: Server) -> None:
    small()
    assert weights.fetch("small") == weights.fetch("small")
    assert len(server.asked) == 1


def test_a_cut_connection_is_taken_up_where_it_was_cut(small: Callable[..., Weight], server: Server) -> None:
    small()
    server.cut_after = [100_000, 300_000]
    assert weights.fetch("small").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-", "bytes=400000-"]


def test_a_server_without_ranges_starts_over(small: Callable[..., Weight], server: Server) -> None:
    small()
    server.ranges, server.cut_after = False, [100_000]
    assert weights.fetch("small").read_bytes() == CONTENT


def test_a_connection_that_is_cut_again_and_again_leaves_nothing(
    small: Callable[..., Weight], server: Server, tmp_path: Path
) -> None:
    small()
    server.cut_after = [1000] * 10
    with pytest.raises(InputError) as error:
        weights.fetch("small")
    assert error.value.code == "weights.unreachable"
    assert left_in(tmp_path / "weights") == set()


def test_nobody_there(small: Callable[..., Weight], server: Server, tmp_path: Path) -> None:
    small(source=server.url.replace(f":{server.http.server_port}", ":9"))
    with pytest.raises(InputError, match="can't be downloaded") as error:
        weights.fetch("small")
    assert error.value.code == "weights.unreachable"
    assert left_in(tmp_path / "weights") == set()


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_another_file_is_refused(
    size: int | None, small: Callable[..., Weight], server: Server, tmp_path: Path
) -> None:
    small(size=size)
    server.content = CONTENT[:-1] + b"!"
    with pytest.raises(InputError) as error:
        weights.fetch("small")
    assert error.value.code == "weights.hash"
    assert left_in(tmp_path / "weights") == set()


def test_a_file_without_end_is_cut_off(small: Callable[..., Weight], server: Server, tmp_path: Path) -> None:
    small()
    server.content = CONTENT * 3
    with pytest.raises(InputError) as error:
        weights.fetch("small")
    assert error.value.code == "weights.hash"
    assert left_in(tmp_path / "weights") == set()


def test_two_downloads_into_one_folder_do_not_meet(
    small: Callable[..., Weight], server: Server, tmp_path: Path
) -> None:
    small()
    with only_process(tmp_path / "weights"), pytest.raises(InputError) as error:
        weights.fetch("small")
    assert error.value.code == "folder.busy"
    assert server.asked == []

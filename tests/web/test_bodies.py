"""A real server refuses a request that is too long before it has it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.jobs.servers import end_with_parent

MIB = 1 << 20


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "DJANGO_SETTINGS_MODULE": "webapp.settings.development",
        "MAX_BODY_MB": "2",
        "BODY_PATIENCE_SECONDS": "2",
    }
    environment = os.environ | settings | {"DATA_DIR": str(tmp_path_factory.mktemp("studio"))}
    command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), "webapp.asgi:application"]
    server = subprocess.Popen(
        command,
        env=environment,
        cwd=Path(__file__).parents[2],
        stderr=subprocess.DEVNULL,
        preexec_fn=end_with_parent,
    )
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)
    yield "127.0.0.1", port
    server.terminate()
    server.wait(30)


def answer(address: tuple[str, int], head: str, body: bytes) -> bytes:
    """The first line that comes back."""
    with socket.create_connection(address, timeout=20) as line:
        try:
            line.sendall(f"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
            for start in range(0, len(body), MIB):
                line.sendall(body[start : start + MIB])
        except OSError:
            pass  # it has hung up already
        try:
            return line.recv(4096).split(b"\r\n")[0]
        except ConnectionResetError:
            return b"reset"


def test_one_that_says_it_is_too_long_is_refused_at_once(address: tuple[str, int]) -> None:
    assert answer(address, f"Content-Length: {3 * MIB}", b"") == b"HTTP/1.1 413 Content Too Large"


def test_one_that_does_not_say_is_cut_off(address: tuple[str, int]) -> None:
    piece = b"%x\r\n" % MIB + bytes(MIB) + b"\r\n"
    assert answer(address, "Transfer-Encoding: chunked", piece * 4) in (b"HTTP/1.1 413 Content Too Large", b"reset")


def test_one_within_the_limit_is_answered(address: tuple[str, int]) -> None:
    assert answer(address, f"Content-Length: {MIB}", bytes(MIB)).startswith(b"HTTP/1.1 403")


def test_a_body_longer_than_its_length_is_no_longer_body(address: tuple[str, int]) -> None:
    """What comes after is taken for the next request, and is none."""
    assert answer(address, "Content-Length: 2", b"ab" + bytes(100)).startswith(b"HTTP/1.1 403")


def test_one_that_breaks_off_never_counts(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=20) as line:
        line.sendall(b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" + bytes(990))
    assert answer(address, "Content-Length: 0", b"").startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    "head",
    ["POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n", "GET / HTTP/1.1\r\nHost: lo"],
)
def test_one_that_comes_byte_by_byte_is_cut_off_and_keeps_nobody_waiting(address: tuple[str, int], head: str) -> None:
    with socket.create_connection(address, timeout=20) as line:
        line.sendall(head.encode())
        line.settimeout(0.25)
        begun, told = time.monotonic(), b""
        while not told:
            assert time.monotonic() - begun < 20, "it is still waited for"
            line.send(b"x")
            assert answer(address, "Content-Length: 0", b"").startswith(b"HTTP/1.1 403")
            with contextlib.suppress(TimeoutError):
                told = line.recv(100)
    assert told.startswith(b"HTTP/1.1 408 Request Timeout")
    assert time.monotonic() - begun > 1.5


def test_a_line_that_is_kept_open_between_requests_is_no_slow_request(address: tuple[str, int]) -> None:
    line = HTTPConnection(*address, timeout=20)
    for pause in (4, 0):
        line.request("GET", "/sign-in/")
        response = line.getresponse()
        assert response.status == 200
        response.read()
        own = line.sock
        time.sleep(pause)
    assert line.sock is own

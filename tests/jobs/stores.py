"""Storages for tests: a folder, and a real S3 server (moto's) behind a relay that can fail."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

BUCKET = "studio"


class Relay:
    """Passes connections on to a server; can refuse them, or cut the next answer after some bytes."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.down = False
        self.cut_after: int | None = None
        self.requests: list[str] = []
        """The request lines that went through, e.g. ``GET /studio/clip.mp4 HTTP/1.1``."""
        threading.Thread(target=self._serve, daemon=True).start()

    def count(self, start: str) -> int:
        return sum(line.startswith(start) for line in self.requests)

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                if self.down:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                threading.Thread(target=self._pass, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, asking: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if self.down:
                    break
                if asking and data[:5].split(b" ")[0] in (b"GET", b"PUT", b"HEAD", b"POST"):
                    self.requests.append(data.split(b"\r\n", 1)[0].decode())
                if not asking and self.cut_after is not None:
                    self.cut_after -= len(data)
                    if self.cut_after < 0:
                        self.cut_after = None
                        break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[int]:
    """The port of an S3 server that is a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None, "the S3 server did not start"
                assert time.monotonic() < deadline, "the S3 server did not answer"
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def relay(s3_server: int) -> Iterator[Relay]:
    """The way to the S3 server."""
    found = Relay(s3_server)
    yield found
    found.close()


@pytest.fixture
def s3(relay: Relay, s3_server: int, settings: Any, tmp_path: Path) -> Any:
    """An empty bucket is Django's default storage, this machine has a scratch folder; a client that sees all."""
    client = boto3.client("s3", **_credentials(s3_server), config=Config(retries={"max_attempts": 1}))
    client.create_bucket(Bucket=BUCKET)
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])
    quick = Config(
        s3={"addressing_style": "path"},
        retries={"max_attempts": 1, "mode": "standard"},
        connect_timeout=2,
        read_timeout=5,
    )
    options = {
        "bucket_name": BUCKET,
        "endpoint_url": f"http://127.0.0.1:{relay.port}",
        "access_key": "test",
        "secret_key": "test",
        "region_name": "us-east-1",
        "client_config": quick,
    }
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    }
    settings.JOBS_SCRATCH_DIR = tmp_path / "scratch"
    settings.JOBS_STORE_PATIENCE = 20
    return client


@pytest.fixture
def local(settings: Any, tmp_path: Path) -> None:
    """A folder is Django's default storage."""
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest) -> str:
    """Once on a folder and once on S3."""
    request.getfixturevalue(request.param)
    return str(request.param)


def s3_environment(port: int) -> dict[str, str]:
    """The variables with which a process of its own uses the server on ``port``."""
    return {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "S3_ACCESS_KEY": "test",
        "S3_SECRET_KEY": "test",
        "S3_REGION": "us-east-1",
    }


def _credentials(port: int) -> dict[str, str]:
    return {
        "endpoint_url": f"http://127.0.0.1:{port}",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
        "region_name": "us-east-1",
    }


def keys(client: Any, prefix: str = "") -> set[str]:
    """All keys in the bucket that begin with ``prefix``."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` that is not hidden, by its name there."""
    return {
        os.fspath(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }

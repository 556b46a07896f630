"""``python -m bench.soak_uploads [--gib N] [--cuts N] [--write FILE]``: a large video over a line that breaks.

Between a client that speaks tus as the pages' does (parts of 16 MiB, asks for the offset and goes on) and Daphne with
the studio stands a relay that breaks the line at so many places: in the midst of a part, by a reset or an end, and for
every fourth when the server has had the whole part and only its answer is missing. What is in the storage afterwards
must be what was sent, by SHA-256.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg

from bench.__main__ import between, machine
from bench.jobs import Figure, table
from bench.uploads import MIB, PART, READ, Server, daphne, studio
from faceengine.files import replace_file, sha256

BEGIN, END = "<!-- soak-uploads: begin -->", "<!-- soak-uploads: end -->"
PATIENCE = 300.0
"""Seconds in which a client gets one part through, or gives up."""


def video(path: Path, size: int) -> None:
    """A real video of at least ``size`` bytes: some seconds of noise, again and again."""
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
    piece = path.with_name("piece.mp4")
    noise = "nullsrc=size=1280x720:rate=25:duration=4,geq=random(1)*255:128:128"
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p"]
    subprocess.run([*ffmpeg, "-f", "lavfi", "-i", noise, *encoder, str(piece)], check=True)
    times = size // piece.stat().st_size
    subprocess.run([*ffmpeg, "-stream_loop", str(times), "-i", str(piece), "-c", "copy", str(path)], check=True)
    piece.unlink()


# ---- the line --------------------------------------------------------------------------------------------------------


@dataclass
class Line:
    """A relay to the server at ``port`` that breaks once so many bytes have passed on the way there."""

    port: int
    breaks: list[int]
    passed: int = 0
    broken: list[str] = field(default_factory=list)
    """How each break was done."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.entry = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
                for work in (self._there, self._back):
                    threading.Thread(target=work, args=(client, server), daemon=True).start()

    def _there(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(READ):
                with self._lock:
                    self.passed += len(piece)
                    due = bool(self.breaks) and self.passed >= self.breaks[0] and len(self.broken) % 4 != 3
                if due:
                    return self._break(client, server, "end" if len(self.broken) % 2 else "reset")
                server.sendall(piece)
        _shut(client, server)
        return None

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := server.recv(READ):
                with self._lock:
                    due = bool(self.breaks) and self.passed >= self.breaks[0] and len(self.broken) % 4 == 3
                if due:
                    return self._break(client, server, "answer lost")
                client.sendall(piece)
        _shut(client, server)
        return None

    def _break(self, client: socket.socket, server: socket.socket, how: str) -> None:
        with self._lock:
            self.breaks.pop(0)
            self.broken.append(how)
        if how == "reset":  # no farewell: what was under way is lost
            for end in (client, server):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()
        else:
            _shut(client, server)


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def line(server: Server, size: int, cuts: int) -> Iterator[Line]:
    """A line that breaks ``cuts`` times, at places that are the same every time."""
    chance = random.Random(11)
    share = size // (cuts + 1)
    opened = Line(server.port, [share * (number + 1) + chance.randrange(share // 2) for number in range(cuts)])
    try:
        yield opened
    finally:
        opened.close()


# ---- the client ------------------------------------------------------------------------------------------------------


class Client:
    """Sends a file as tus wants it, and goes on where the server is whenever the line has broken."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.port = port
        self.headers = headers | {"Tus-Resumable": "1.0.0"}
        self.lost = 0
        """Times that it found the line broken."""
        self.sent = 0

    def send(self, path: Path, url: str) -> None:
        size, name = path.stat().st_size, base64.b64encode(b"large.mp4").decode()
        location = self._ask("POST", url, {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"})[
            "Location"
        ]
        assert location is not None
        offset = 0
        with path.open("rb") as file:
            while offset < size:
                file.seek(offset)
                offset = self._part(location, offset, file.read(PART))

    def _part(self, location: str, offset: int, part: bytes) -> int:
        """Send a part; where the server is then."""
        until = time.monotonic() + PATIENCE
        digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
        headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        try:
            answer = self._ask("PATCH", location, headers | {"Upload-Checksum": f"sha256 {digest}"}, part)
            return int(answer["Upload-Offset"] or 0)
        except (OSError, http.client.HTTPException):
            self.lost += 1
        while True:
            try:
                return int(self._ask("HEAD", location)["Upload-Offset"] or 0)
            except (OSError, http.client.HTTPException, BusyError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def _ask(
        self, method: str, url: str, more: dict[str, str] | None = None, body: bytes = b""
    ) -> http.client.HTTPMessage:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            self.sent += len(body)
            connection.request(method, url, body, self.headers | (more or {}))
            response = connection.getresponse()
            response.read()
        finally:
            connection.close()
        if response.status == 423:  # the server has not noticed yet that the line is broken
            raise BusyError
        if response.status == 409 and method == "PATCH":
            raise http.client.HTTPException("the offset is another one")
        assert response.status < 300, (method, response.status)
        return response.headers


class BusyError(Exception):
    """The request before is still at it."""


# ---- what is measured ------------------------------------------------------------------------------------------------


def measure(size: int, cuts: int, folder: Path) -> list[Figure]:
    """All figures for a video of at least ``size`` bytes."""
    path = folder / "large.mp4"
    video(path, size)
    size, wanted = path.stat().st_size, sha256(path)
    _, url, headers = studio(PART)
    with daphne("webapp.asgi:application") as server, line(server, size, cuts) as relay:
        client = Client(server.port, headers)
        client._ask("GET", "/jobs/")
        client.port = relay.entry
        started = time.monotonic()
        with server.watched():
            client.send(path, url)
        seconds = time.monotonic() - started
    from django.core.files.storage import default_storage

    from webapp.uploads.models import Asset

    asset = Asset.objects.exclude(arrival="").get()
    found = sha256(Path(default_storage.path(asset.arrival)))
    return _figures(relay.broken, cuts, size, seconds, client.sent, server.peak, same=found == wanted)


def _figures(
    broken: list[str], cuts: int, size: int, seconds: float, sent: int, memory: int, *, same: bool
) -> list[Figure]:
    ways = ", ".join(f"{broken.count(how)} × {how}" for how in dict.fromkeys(broken))
    told, again = f"{len(broken)} times: {ways}", (sent - size) / MIB
    return [
        Figure(f"a line that breaks, {size / (1 << 30):.2f} GiB of video", told, f"{cuts} times", len(broken) == cuts),
        Figure("what arrived, by SHA-256", "the same" if same else "other", "the same", same),
        Figure("sent again", f"{again:.0f} MiB", f"≤ {cuts} parts of 16 MiB", again <= cuts * PART / MIB),
        Figure("rate, with the breaks", f"{size / seconds / 1e6:.0f} MB/s"),
        Figure("server memory", f"{memory / 1e6:.0f} MB above idle", "≤ 150 MB", memory <= 150e6),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m bench.soak_uploads", description="A large video over a bad line.")
    parser.add_argument("--gib", type=float, default=2.0, help="size of the video (%(default)s)")
    parser.add_argument("--cuts", type=int, default=10, help="times that the line breaks (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"put the table between {BEGIN} and {END} of FILE")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="soak-uploads-") as folder:
        os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "webapp.settings.development"}
        figures = measure(int(arguments.gib * (1 << 30)), arguments.cuts, Path(folder))
    text = f"{machine()}\n\n{table(figures)}"
    print(text)
    if arguments.write:
        replace_file(arguments.write, between(arguments.write.read_text(), text, BEGIN, END).encode())
    return 0 if all(figure.reached is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Database and queue servers for tests: real ones, each in a folder of its own, on loopback, ended by process id."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_LIBC, _PR_SET_PDEATHSIG = ctypes.CDLL(None), 1
_RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class MissingServerError(RuntimeError):
    """The server's program is not installed here."""


class Server:
    """A server process that a test may kill and start again, with what it had written."""

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        *,
        env: dict[str, str] | None = None,
        user: str = "",
        ready: Callable[[int], bool] | None = None,
    ) -> None:
        self.port = port
        self._ready = ready or answers
        self._command = command
        self._options: dict[str, Any] = {
            "env": env,
            "user": user or None,
            "start_new_session": True,
            "preexec_fn": end_with_parent,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 60.0) -> None:
        with Path(os.devnull).open("w") as null:
            self._process = subprocess.Popen(self._command, stdout=null, stderr=null, **self._options)
        deadline = time.monotonic() + timeout
        while not self._ready(self.port):
            assert self._process.poll() is None, f"{self._command[0]} did not start"
            assert time.monotonic() < deadline, f"{self._command[0]} did not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it and all it started as a power cut would."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None
            wait_for(lambda: not answers(self.port), 10, f"{self._command[0]} is gone")


@contextmanager
def postgres() -> Iterator[Server]:
    """A PostgreSQL whose user ``studio`` may do everything without a password."""
    found = shutil.which("postgres") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")), None)
    if found is None:
        raise MissingServerError("PostgreSQL is not installed (Debian: apt install postgresql)")
    programs = Path(found).resolve().parent
    user = _unprivileged("postgres")
    with _folder(user) as folder:
        data, port = os.fspath(folder / "data"), free_port()
        create = [os.fspath(programs / "initdb"), "-D", data, "-U", "studio", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(create, check=True, capture_output=True, user=user or None, cwd=folder)
        command = [os.fspath(programs / "postgres"), "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
        command += ["-c", "fsync=off", "-c", "max_connections=60"]
        with _running(Server(command, port, user=user, ready=_accepts)) as server:
            yield server


@contextmanager
def redis() -> Iterator[Server]:
    """A Redis that keeps nothing when it ends."""
    found = shutil.which("redis-server")
    if found is None:
        raise MissingServerError("Redis is not installed (Debian: apt install redis-server)")
    with _folder() as folder:
        port = free_port()
        command = [found, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
        with _running(Server(command, port)) as server:
            yield server


@contextmanager
def rabbitmq() -> Iterator[Server]:
    """A RabbitMQ with its usual guest user."""
    epmd = shutil.which("epmd")
    if epmd is None or not _RABBITMQ.exists():
        raise MissingServerError("RabbitMQ is not installed (Debian: apt install rabbitmq-server)")
    with _folder() as folder:
        port, names_port = free_port(), free_port()
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RABBITMQ_NODENAME": "studio@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(names_port),
        }
        (folder / "plugins").write_text("[].\n")
        # Erlang's own name server, which would otherwise start itself in the background and stay.
        names = Server([epmd, "-port", str(names_port), "-address", "127.0.0.1"], names_port)
        with _running(names), _running(Server([str(_RABBITMQ)], port, env=env)) as server:
            yield server


def free_port() -> int:
    """A port of loopback that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether somebody listens on that port of loopback."""
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def wait_for(found: Callable[[], T], timeout: float, what: str) -> T:
    """The first true answer of ``found``. Fails the test after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not (answer := found()):
        assert time.monotonic() < deadline, f"not within {timeout:g} s: {what}"
        time.sleep(0.05)
    return answer


def end_with_parent() -> None:
    """In the child: SIGTERM when the tests are killed and can't end it themselves."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _accepts(port: int) -> bool:
    """Whether a PostgreSQL there has recovered so far that it lets people in."""
    import psycopg

    with suppress(psycopg.OperationalError):
        psycopg.connect(f"postgres://studio@127.0.0.1:{port}/postgres", connect_timeout=1).close()
        return True
    return False


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def _folder(user: str = "") -> Iterator[Path]:
    """A folder that ``user`` may enter; pytest's own are closed to others. Short, as a socket's path must be."""
    folder = Path(tempfile.mkdtemp(prefix="studio-"))
    try:
        if user:
            shutil.chown(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(name: str) -> str:
    """Who runs a server that refuses to be run by root: ``name`` if there is such a user; "" for whoever is no root."""
    if os.geteuid() != 0:
        return ""
    with suppress(KeyError):
        return pwd.getpwnam(name).pw_name
    return "nobody"

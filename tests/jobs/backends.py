"""Stacks: each database and queue that the studio may run on, for the same tests. Real servers, real processes."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dj_database_url
import pytest
from django.core.management import call_command
from django.db import connections

from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from faceengine.jobs.states import State
from tests.jobs import counting, servers
from tests.jobs.servers import MissingServerError, Server, wait_for

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"JOBS_LEASE_SECONDS": "3", "JOBS_HEARTBEAT_SECONDS": "1", "JOBS_GRACE_SECONDS": "3"}
"""Leases short enough for a test; what depends on them scales with them."""

STACKS = {
    "sqlite": ("sqlite", None),
    "postgres": ("postgres", None),
    "rabbitmq": ("postgres", "rabbitmq"),
    "redis": ("sqlite", "redis"),
}
"""Name: which database, and which broker (``None``: the queue is in the database)."""


@dataclass
class Stack:
    """A studio of its own: an empty database and queue, which this process looks into, and processes that it starts."""

    folder: Path
    env: dict[str, str]
    database: Server | None
    broker: Server | None
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *words: str, **env: str) -> subprocess.Popen[bytes]:
        """Start ``manage.py`` in a session of its own; what it says is in ``output.txt``."""
        with (self.folder / "output.txt").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *words],
                cwd=ROOT,
                env=os.environ | self.env | env,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=servers.end_with_parent,
            )
        self.processes.append(process)
        return process

    def count(self, **options: Any) -> Job:
        """Submit a job that counts; ``steps`` and ``seconds`` are its config, the rest is ``submit``'s."""
        config = {name: options.pop(name) for name in ("steps", "seconds") if name in options}
        return transitions.submit("count", config, **options)

    def wait(self, job: Job, state: State, timeout: float = 20.0) -> Job:
        """The job once it is in that state."""
        wait_for(lambda: state_of(job) == state, timeout, f"{job.title or job.pk} is {state}; {self.output()}")
        return Job.objects.get(pk=job.pk)

    def counted(self, job: Job) -> list[int]:
        """The steps that the job's bodies have done, in their order."""
        with suppress(FileNotFoundError):
            return [int(line) for line in (self.folder / "files" / job.folder / "counted.txt").read_text().split()]
        return []

    def output(self) -> str:
        """What all processes said."""
        with suppress(FileNotFoundError):
            return (self.folder / "output.txt").read_text()
        return ""

    def close(self) -> None:
        """End all processes that were started, with all that descend from them."""
        for process in self.processes:
            kill_tree(process.pid)
            process.wait(10)


def state_of(job: Job) -> str:
    return Job.objects.values_list("state", flat=True).get(pk=job.pk)


def tree(root: int) -> list[int]:
    """Process ids of ``root`` and all that descend from it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name in brackets may hold anything; after it come the state and the parent.
            children.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def kill_tree(root: int) -> None:
    """SIGKILL all of them at once, as a power cut does."""
    for pid in tree(root):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def server() -> Iterator[Callable[[str], Server]]:
    """Starts each server once, when it is first asked for; skips where it isn't installed."""
    with ExitStack() as running:
        started: dict[str, Server] = {}

        def of(name: str) -> Server:
            if name not in started:
                try:
                    started[name] = running.enter_context(getattr(servers, name)())
                except MissingServerError as error:
                    pytest.skip(str(error))
            return started[name]

        yield of


@pytest.fixture(params=STACKS)
def stack(
    request: pytest.FixtureRequest, server: Any, settings: Any, tmp_path: Path, django_db_blocker: Any
) -> Iterator[Stack]:
    """Once on each stack that is installed."""
    database_kind, broker_kind = STACKS[request.param]
    database = server(database_kind) if database_kind == "postgres" else None
    broker = server(broker_kind) if broker_kind else None
    if broker is not None and not servers.answers(broker.port):
        broker.start()
    url = _migrated(database, tmp_path, django_db_blocker)
    env = QUICK | {
        "DJANGO_SETTINGS_MODULE": "tests.jobs.process_settings",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": url,
        "JOBS_HOST": "here",
    }
    if broker is not None:
        env |= {"TASKS_ENGINE": "celery", "CELERY_BROKER_URL": _broker_url(broker_kind, broker)}
    with django_db_blocker.unblock(), _database(url):
        _use(settings, env, tmp_path)
        counting.register()
        studio = Stack(tmp_path, env, database, broker)
        try:
            yield studio
        finally:
            studio.close()


@contextmanager
def _database(url: str) -> Iterator[None]:
    """This process's ``default`` database, in all threads, is the one at ``url``."""
    before, connection_before = connections.settings["default"], connections["default"]
    settings = dj_database_url.parse(url)
    if "sqlite" in settings["ENGINE"]:
        settings["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": _PRAGMAS}
    connections.settings["default"] = connections.configure_settings({"default": settings})["default"]
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = before
        connections["default"] = connection_before


_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"


def _new_postgres(server: Server, template: str = "template1") -> str:
    """The address of a new database on that server: empty, or a copy of ``template``, to which nobody is connected."""
    import psycopg

    place = f"postgres://studio@127.0.0.1:{server.port}"
    with psycopg.connect(f"{place}/postgres", autocommit=True) as connected:
        name = f"t{len(connected.execute('SELECT datname FROM pg_database').fetchall())}"
        connected.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return f"{place}/{name}"


_templates: dict[Server | None, str] = {}
"""Addresses of databases as ``migrate`` leaves them, by server; ``None`` for SQLite. Nobody writes to them again."""


def _migrated(server: Server | None, folder: Path, django_db_blocker: Any) -> str:
    """The address of a new database as ``migrate`` leaves it, on ``server`` or in a file in ``folder``.

    It is a copy: migrating takes seconds, and many tests begin with a database of their own.
    """
    if server not in _templates:
        made = _new_postgres(server) if server else f"sqlite:///{_kept_folder() / 'template.sqlite3'}"
        with django_db_blocker.unblock(), _database(made):
            call_command("migrate", verbosity=0)
        _templates[server] = made
    template = _templates[server]
    if server is not None:
        return _new_postgres(server, template.rpartition("/")[2])
    # The last connection to close has written everything into the one file.
    shutil.copyfile(template.removeprefix("sqlite:///"), folder / "studio.sqlite3")
    return f"sqlite:///{folder / 'studio.sqlite3'}"


def _kept_folder() -> Path:
    """A folder that lasts as long as this process."""
    folder = Path(tempfile.mkdtemp(prefix="studio-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _broker_url(kind: str, server: Server) -> str:
    """The address of an empty queue on that server."""
    if kind == "redis":
        from redis import Redis

        Redis(port=server.port).flushall()
        return f"redis://127.0.0.1:{server.port}/0"
    from kombu import Connection

    url = f"amqp://guest:guest@127.0.0.1:{server.port}//"
    with Connection(url) as broker:
        for queue in ("gpu", "cpu"):
            broker.default_channel.queue_delete(queue)
    return url


def _use(settings: Any, env: dict[str, str], folder: Path) -> None:
    """This process's settings as those of the processes that it starts."""
    settings.MEDIA_ROOT = folder / "files"
    settings.JOBS_SCRATCH_DIR = folder / "scratch"
    settings.JOBS_HOST = env["JOBS_HOST"]
    for name in QUICK:
        setattr(settings, name, int(env[name]))
    settings.TASKS_ENGINE = env.get("TASKS_ENGINE", "database")
    settings.CELERY_BROKER_URL = env.get("CELERY_BROKER_URL", "")
    if settings.TASKS_ENGINE == "celery":
        sys.modules.pop("faceengine.jobs.celery_backend", None)  # it takes the broker's address when it is loaded
        backend = "faceengine.jobs.celery_backend.CeleryBackend"
        settings.TASKS = {"default": {"BACKEND": backend, "QUEUES": ["gpu", "cpu"]}}

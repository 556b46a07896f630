"""What the commands ``up`` and ``worker`` know of the machine they run on."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from faceengine import fetching
from faceengine.jobs.hardware import gpus
from faceengine.jobs.models import Slot
from faceengine.jobs.slots import kind_of
from faceengine.jobs.supervisor import Child

_MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
_STOP_RESERVE_SECONDS = 10
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def name() -> str:
    """What the ledger calls this machine."""
    return str(settings.JOBS_HOST)


def default_slots() -> list[str]:
    """``gpu0`` … for every CUDA device, without loading torch; one that computes on the processors if there is none."""
    return [f"gpu{number}" for number in range(gpus() or 1)] + ["cpu"]


def add_slots(parser: CommandParser) -> None:
    """The option ``--slots``."""
    default = default_slots()
    parser.add_argument("--slots", type=_slots, default=default, help=f"e.g. gpu0,cpu (here: {','.join(default)})")


def slot_child(slot: str) -> Child:
    """The process that serves ``slot``."""
    return Child(slot, [sys.executable, os.fspath(_MANAGE), "slot", slot])


def beside() -> list[Child]:
    """What else belongs to this installation, each until it ends well: management commands, and the fetching of weights
    where that is wanted."""
    commands = {name: [os.fspath(_MANAGE), name] for name in settings.UP_BESIDE}
    if os.environ.get(fetching.VARIABLE) == "1":
        # Nobody waits for a network that may be slow or not there: what is missing is fetched while the studio works.
        commands["weights"] = ["-m", "faceengine", "weights", "--fetch", "--if-online", "--quiet"]
    root = _MANAGE.parent
    return [Child(name, [sys.executable, *command], root, ends=True) for name, command in commands.items()]


def stop_seconds() -> float:
    """How long a slot may take to stop: its job's grace, and some more to write that down."""
    return float(settings.JOBS_GRACE_SECONDS + _STOP_RESERVE_SECONDS)


def serves(slots: Sequence[str]) -> bool:
    """Whether all these slots of this machine are in the ledger by processes that live."""
    pids = Slot.objects.filter(host=name(), name__in=slots).values_list("pid", flat=True)
    return len(pids) == len(slots) and all(Path(f"/proc/{pid}").exists() for pid in pids)


def check_migrated() -> None:
    """Raise ``CommandError``, which says what to run, unless the database has the tables of this version."""
    try:
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        raise CommandError(f"the database does not answer: {error}") from error
    finally:
        connection.close()
    if behind:
        raise CommandError("the database is not up to date: run `manage.py migrate` first")


def check_free(host: str, port: int) -> None:
    """Raise ``CommandError`` if something listens there."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise CommandError(f"{host}:{port} can't be listened on: {error.strerror}; --port takes another one") from error


def check_demo(host: str) -> None:
    """Raise ``CommandError`` if the demo, whose account everybody knows, would be open to others than this machine."""
    if settings.DEMO and host not in _LOOPBACK:
        raise CommandError(f"the demo is for this machine only, so not for {host}; without DEMO=1 it may be")


def _slots(value: str) -> list[str]:
    names = [name.strip() for name in value.split(",")]
    for name in names:
        kind_of(name)
    return list(dict.fromkeys(names))

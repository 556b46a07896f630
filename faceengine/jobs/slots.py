"""Slots: places where one job at a time runs. One process serves one slot, for as long as it lives.

``gpu0`` is the first GPU of its machine, ``cpu`` a share of its processors: the letters are the kind.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import Error, close_old_connections, connection
from django.db.models.functions import Now

import faceengine
from faceengine.jobs import chores, disk, kinds, queue, transitions
from faceengine.jobs.hardware import processor_of
from faceengine.jobs.leases import Leases
from faceengine.jobs.models import PROTOCOL, Slot
from faceengine.jobs.states import State

log = logging.getLogger(__name__)

_DEAF_AFTER = 5
"""Bells in a row that an idle slot rang and didn't hear, one a heartbeat."""

_stop = threading.Event()
_heard = threading.Event()
_serving: Slot | None = None


class SlotTakenError(RuntimeError):
    """Another process of this machine serves that slot."""


def kind_of(name: str) -> str:
    """``gpu`` of ``gpu0``. Raises ``ValueError`` for a name whose letters are no kind of slot."""
    kind = name.rstrip("0123456789")
    if kind not in settings.SLOT_KINDS:
        raise ValueError(f"{name!r} is no slot: a slot is one of {', '.join(settings.SLOT_KINDS)}, and a number")
    return kind


def current() -> Slot:
    """The slot that this process serves."""
    if _serving is None:
        raise RuntimeError("this process serves no slot; jobs run in `manage.py slot`")
    return _serving


def stop() -> None:
    """Ask the job that runs here to stop, and let no other begin."""
    _stop.set()


def stopping() -> bool:
    """Whether :func:`stop` was called."""
    return _stop.is_set()


def heard() -> None:
    """Note that a bell has come through."""
    _heard.set()


@contextmanager
def serving(name: str) -> Iterator[Slot]:
    """Serve the slot, alive in the ledger until left. Raises :class:`SlotTakenError`, ``django.db.Error``."""
    global _serving
    with _alone(name):
        slot = register(name)
        pulse = _Pulse(slot)
        pulse.start()
        _serving = slot
        try:
            yield slot
        finally:
            pulse.end()
            _serving = None
            unregister(slot)


def register(name: str) -> Slot:
    """Enter the slot into the ledger. What its last process still had in hand is given back at once."""
    slot, _ = Slot.objects.update_or_create(
        host=settings.JOBS_HOST,
        name=name,
        defaults={
            "kind": kind_of(name),
            "processor": processor_of(name),
            "pid": os.getpid(),
            "version": faceengine.__version__,
            "protocol": PROTOCOL,
            "started_at": Now(),
            "seen_at": Now(),
        },
    )
    slot.refresh_from_db()
    for job in slot.jobs.filter(state=State.RUNNING):
        transitions.died(job.pk, job.attempt, "runner.lost", f"The runner in {slot} ended while it ran this job.")
    return slot


def beat(slot: Slot) -> None:
    """Say that the slot is alive."""
    Slot.objects.filter(pk=slot.pk).update(seen_at=Now())


def sweep(slot: Slot, leases: Leases) -> bool:
    """Every few seconds: give up runners whose leases ran out; ring for what is queued while ``slot`` is idle.

    Returns whether it rang, and the queue took it.

    So a bell that was lost costs seconds, and one that a busy slot's Celery worker holds in reserve costs the same.
    """
    leases.expire()
    disk.measure_some()
    chores.do_all()
    fitting = transitions.queue_of(slot.kind).filter(protocol__lte=PROTOCOL, kind__in=kinds.names())
    idle = not slot.jobs.filter(state=State.RUNNING).exists()
    return idle and fitting.exists() and queue.ring_kind(slot.kind)


def unregister(slot: Slot) -> None:
    """Take the slot out of the ledger; where the database is away, its silence says the same."""
    try:
        Slot.objects.filter(pk=slot.pk).delete()
    except Error as error:
        log.warning("%s can't be taken out of the ledger: %s", slot, error)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Hold the slot on this machine. The kernel lets go of it with the process, however that ends."""
    folder = Path(settings.JOBS_SCRATCH_DIR) / "slots"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{settings.JOBS_HOST}-{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SlotTakenError(f"another process serves {name} on {settings.JOBS_HOST}") from None
        yield


class _Pulse(threading.Thread):
    """Beats for the slot and sweeps, beside whatever job runs."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(name="pulse", daemon=True)
        self._slot = slot
        self._leases = Leases()
        self._ended = threading.Event()

    def end(self) -> None:
        """Beat no more, so that nothing follows the slot's going."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        away, unheard = False, 0
        while not self._ended.is_set():
            close_old_connections()
            try:
                beat(self._slot)
                unheard = unheard + 1 if sweep(self._slot, self._leases) and not _heard.is_set() else 0
                _heard.clear()
                away = False
            except Error as error:
                if not away:
                    log.warning("%s: the database does not answer (%s); trying on", self._slot, error)
                away = True
            if unheard >= _DEAF_AFTER:
                _give_up_deaf(self._slot)
            self._ended.wait(settings.JOBS_HEARTBEAT_SECONDS)
        connection.close()


def _give_up_deaf(slot: Slot) -> None:
    """End this process, which does nothing: whoever started it starts it again, with a new line to the queue.

    Celery's Redis client does not get over an acknowledgement that failed: it waits for ever for that message.
    """
    log.error("%s does not hear the queue any more; ending to begin anew", slot)
    os._exit(1)

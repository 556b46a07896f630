"""The life of a slot's process: wait for a bell, do one job, wait again. Torch is never loaded here."""

from __future__ import annotations

import logging
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections, connection
from django.dispatch import receiver
from django_tasks.signals import task_finished
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from faceengine.jobs import slots
from faceengine.jobs.models import Slot

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_PAUSE_SECONDS = 2.0


def serve(slot: Slot) -> None:
    """Do what is queued for the slot's kind until SIGTERM or SIGINT."""
    # Asking twice a second, a new connection each time would cost more than the question.
    connection.settings_dict |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    if settings.TASKS_ENGINE == "celery":
        _serve_celery(slot)
    else:
        _serve_database(slot)


class _DatabaseWorker(Worker):
    """django-tasks-db's worker, which also tells the job that it should stop."""

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        slots.stop()
        super().shutdown(signum, frame)


def _serve_database(slot: Slot) -> None:
    worker = _DatabaseWorker(
        queue_names=[slot.kind],
        excluded_queue_names=[],
        interval=_POLL_SECONDS,
        batch=False,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=str(slot)[:64],
    )
    worker.configure_signals()
    # A bell that the slot's last process had heard when it was killed.
    DBTaskResult.objects.running().filter(worker_ids=[worker.worker_id]).delete()
    while not slots.stopping():
        try:
            worker.run()
        except Error as error:
            log.warning("%s: the database does not answer (%s); trying on", slot, error)
            close_old_connections()
            time.sleep(_PAUSE_SECONDS)


@receiver(task_finished)
def _forget(task_result: Any, **_: Any) -> None:
    """A bell that was heard is of no further use; kept, the table would grow for ever."""
    DBTaskResult.objects.filter(pk=task_result.id).delete()


def _serve_celery(slot: Slot) -> None:
    from celery.signals import worker_shutting_down

    from faceengine.jobs.celery_backend import app

    def shutting_down(**_: Any) -> None:
        slots.stop()

    worker_shutting_down.connect(shutting_down)
    # Solo: the job's body is a process of its own, which children of Celery's other pools may not have.
    worker = app.Worker(
        pool="solo",
        concurrency=1,
        queues=[slot.kind],
        hostname=f"{slot.name}@{slot.host}",
        loglevel="WARNING",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()

"""What others hear of a change once it is committed: events, bells, the hooks of web apps."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from faceengine.jobs.live import announce
from faceengine.jobs.models import Job, JobEvent
from faceengine.jobs.paths import hide_paths
from faceengine.jobs.transitions.reasons import Reason

log = logging.getLogger(__name__)


def tell(job: Job, reason: Reason | None = None) -> None:
    """Append what the job has become, ``last_seq`` being counted already."""
    said = {"state": job.state, "desired": job.desired, "step": job.step, "slot": str(job.slot or "")}
    said |= {"error_code": reason.code, "error_text": reason.text} if reason else {}
    append(job, "state", said)


def append(job: Job, kind: str, data: dict[str, Any]) -> None:
    JobEvent.objects.create(job=job, seq=job.last_seq, attempt=job.attempt, kind=kind, data=storable(data))
    announce_after_commit(job)


def storable(value: Any) -> Any:
    """``value`` without what JSON columns refuse: numbers that are none, NUL characters, halves of characters; and
    without paths of the machine, since people read it."""
    if isinstance(value, dict):
        return {key: storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return hide_paths(value.replace("\0", "").encode(errors="replace").decode()) if isinstance(value, str) else value


def announce_after_commit(job: Job) -> None:
    transaction.on_commit(lambda: announce(job.id, job.last_seq))


def ring_after_commit(job: Job) -> None:
    # The queue's tasks run jobs, and running a job changes it: the one circle in here is cut open where it is used.
    from faceengine.jobs import queue

    transaction.on_commit(lambda: queue.ring(job))


def call_hook(hook: Callable[..., None], *arguments: Any) -> None:
    """Call a web app's hook. Its defects are its own: they are logged, and hours of work are not lost for them."""
    try:
        with transaction.atomic():
            hook(*arguments)
    except (OperationalError, InterfaceError):  # not the hook's: the database is away
        raise
    except Exception:
        log.exception("a hook failed: %s of job %s", getattr(hook, "__qualname__", hook), arguments[0].id)

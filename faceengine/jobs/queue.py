"""Ringing: telling the slots that there is work. The queue is Django's Tasks API, whichever backend it has."""

from __future__ import annotations

import logging

from faceengine.jobs import tasks
from faceengine.jobs.models import Job

log = logging.getLogger(__name__)


def ring(job: Job) -> None:
    """Say that ``job`` is queued. Never raises."""
    ring_kind(job.slot_kind, str(job.pk))


def ring_kind(slot_kind: str, job_id: str = "") -> bool:
    """Say that there is work for slots of that kind; whether the queue took it.

    Never raises: an idle slot rings again for what is queued.
    """
    try:
        tasks.work.using(queue_name=slot_kind).enqueue(slot_kind, job_id)
    except Exception as error:  # whatever a queue's client raises when its server is away
        log.warning("The queue can't be told of work for %s slots (%s); an idle slot will find it", slot_kind, error)
        return False
    return True

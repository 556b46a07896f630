"""What the queue carries: doorbells. Which job is done next is the ledger's to say, not the queue's."""

from __future__ import annotations

import logging

from django_tasks import task

log = logging.getLogger(__name__)


@task(queue_name="gpu")
def work(slot_kind: str, job_id: str) -> None:
    """Do the best queued job of ``slot_kind``, whichever job rang; nothing if there is none left.

    A bell too many thus finds nothing, a bell too few is made good by :func:`faceengine.jobs.slots.sweep`.
    """
    # The runner changes states, which rings: imported above, the circle would be closed.
    from faceengine.jobs import runner, slots

    slots.heard()
    if slots.stopping():
        return  # Celery still delivers what it holds in reserve
    slot = slots.current()
    log.debug("%s: %s rang for %s", slot, job_id or "the sweep", slot_kind)
    try:
        runner.run_next(slot, stopping=slots.stopping)
    except Exception:
        # Queues keep quiet about a task that fails. The job's lease runs out, and it is queued again.
        log.exception("%s: the runner failed", slot)
        raise

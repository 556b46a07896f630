"""Folders whose rows are gone, until nothing of them can be there any more.

They are noted in the transaction that deletes the rows, so that a process which dies right after it, or a store that
is away, leaves nothing for good. A job's body may still be dying, and write: such a folder is removed again when its
runner has let go of it, and once more by the next slot that sweeps when no body can be alive any more.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from faceengine.jobs.models import Job
from faceengine.jobs.scratch import Cache
from faceengine.jobs.states import State
from webapp.consent.models import Leftover

log = logging.getLogger(__name__)

_FOREVER = timedelta(seconds=60)
"""Longer than a request may take, that had begun before the rows went, to write what it had in hand."""


def dying_time() -> timedelta:
    """So long after its end a body may still be alive."""
    return timedelta(seconds=settings.JOBS_LEASE_SECONDS + settings.JOBS_GRACE_SECONDS) + _FOREVER


def at_work(jobs: QuerySet[Job]) -> set[Any]:
    """The keys of those whose bodies may be alive: at work, or ended so lately that they may still be dying."""
    lately = Q(attempts__ended_at__gt=Now() - dying_time())
    return set(jobs.filter(Q(state=State.RUNNING) | lately).values_list("pk", flat=True))


def leave(folders: Mapping[str, bool]) -> None:
    """Remove these folders of the storage once the transaction is over; ``True``: something may still write there."""
    Leftover.objects.bulk_create(Leftover(folder=folder, at_work=writes) for folder, writes in folders.items())
    transaction.on_commit(settle)


def forget_jobs(jobs: QuerySet[Job]) -> None:
    """Delete the jobs, with which their rows go, and, once that is certain, their files."""
    gone, dying = list(jobs), at_work(jobs)
    Job.objects.filter(pk__in=[job.pk for job in gone]).delete()
    leave({job.folder: job.pk in dying for job in gone})


def settle() -> int:
    """Remove what is left, as far as that can be done now; how many folders are still to be looked at again."""
    over = Leftover.objects.filter(Q(at_work=False) | Q(left_at__lt=Now() - dying_time()))
    ripe = set(over.values_list("pk", flat=True))
    for left in Leftover.objects.all():
        _remove(left, for_good=left.pk in ripe)
    return Leftover.objects.count()


def gone(job: Job) -> None:
    """A runner has let go of the job: nothing writes to its folder any more."""
    for left in Leftover.objects.filter(folder=job.folder):
        _remove(left, for_good=True)


def _remove(left: Leftover, *, for_good: bool) -> None:
    """A store that is away is asked again by the next sweep."""
    try:
        remove_folder(left.folder)
    except Exception:
        log.exception("can't delete a leftover folder yet: %s", left.folder)
        return
    if for_good:
        left.delete()


def remove_folder(folder: str) -> None:
    """Remove all that the storage has under ``folder``, and this machine's copies of it."""
    Cache.forget([folder])
    if isinstance(default_storage, FileSystemStorage):
        with suppress(FileNotFoundError):
            shutil.rmtree(default_storage.path(folder))
        return
    from faceengine.jobs.objects import Bucket

    bucket = Bucket(give_up=lambda: True)  # a store that is away is asked again later: somebody waits for an answer
    bucket.delete(list(bucket.tags(f"{folder}/")))

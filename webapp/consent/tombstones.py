"""Files of what a withdrawal took away, until nothing of them can be there any more.

A job's process may still be dying, and write: its folder is removed again when its runner has let go of it, and once
more by the next slot that sweeps, should that runner have been killed as well.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from django.core.files.storage import default_storage
from django.db.models.functions import Now

from faceengine.jobs.models import Job
from faceengine.jobs.scratch import Cache
from faceengine.jobs.states import State
from webapp.consent import leftovers
from webapp.consent.models import Tombstone

log = logging.getLogger(__name__)

_CHUNK = 1 << 20


def settle() -> int:
    """Remove the files of what was taken away, again where something may still have written to them; how many remain.

    Done by whoever withdraws, and by every slot's sweep.
    """
    for stone in Tombstone.objects.filter(settled_at=None):
        dead = Tombstone.objects.filter(pk=stone.pk, erased_at__lt=Now() - leftovers.dying_time())
        _remove(stone, for_good=not stone.at_work or dead.exists())
    return Tombstone.objects.filter(settled_at=None).count()


def gone(job: Job) -> None:
    """A runner has let go of the job: nothing writes to its folder any more."""
    for stone in Tombstone.objects.filter(folder=job.folder):
        _remove(stone, for_good=True)
    leftovers.gone(job)


def _remove(stone: Tombstone, *, for_good: bool) -> None:
    """A store that is away is asked again by the next sweep."""
    try:
        if stone.file and not stone.sha256:
            stone.sha256 = _sha256(stone.file)
        if stone.folder:
            leftovers.remove_folder(stone.folder)
    except Exception:
        log.exception("can't delete a folder of withdrawn data yet: %s", stone.folder)
        return
    changes: dict[str, Any] = {"sha256": stone.sha256}
    if for_good:
        Job.objects.filter(pk=stone.thing, state=State.FAILED).delete() if stone.folder.startswith("jobs/") else None
        changes["settled_at"] = Now()
    Tombstone.objects.filter(pk=stone.pk, settled_at=None).update(**changes)


def _sha256(name: str) -> str:
    """Of a result that may be somewhere in the world: so that who finds it there can be told that consent is gone."""
    digest = hashlib.sha256()
    try:
        with default_storage.open(name) as file:
            while piece := file.read(_CHUNK):
                digest.update(piece)
    except OSError:
        return ""
    return digest.hexdigest()


_seen = 0


def sweep() -> None:
    """Every few seconds in each slot: finish what is left to do, and forget copies that other machines' deletions left
    on this one."""
    global _seen
    fresh = list(Tombstone.objects.filter(pk__gt=_seen).order_by("pk").values_list("pk", "folder"))
    if fresh:
        Cache.forget([folder for _, folder in fresh if folder])
        _seen = fresh[-1][0]
    settle()
    leftovers.settle()

"""How much disk jobs take up."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.files.storage import FileSystemStorage, default_storage

from faceengine.jobs import kinds
from faceengine.jobs.models import Job
from faceengine.jobs.states import ENDED

_AT_A_TIME = 20


def bytes_in(folder: Path) -> int:
    """Return the bytes of all files below ``folder``; files that go meanwhile don't count."""
    total, folders = 0, [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as found:
                for entry in found:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
    return total


def is_counted(job: Job) -> bool:
    """Return whether what the job writes counts for its group here, and not where its kind is owned."""
    return job.kind in kinds.names() and kinds.get(job.kind).counted


def measure_some() -> int:
    """Measure ended jobs that never were, a few at a time; how many there were.

    Those that ran before jobs were measured; where files are in an object store they count as nothing.
    """
    found = list(Job.objects.filter(stored=None, state__in=ENDED)[:_AT_A_TIME])
    for job in found:
        is_here = isinstance(default_storage, FileSystemStorage) and is_counted(job)
        stored = bytes_in(Path(default_storage.path(job.folder))) if is_here else 0
        Job.objects.filter(pk=job.pk, stored=None).update(stored=stored)
    return len(found)

"""Removing what an asset has in the storage."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from django.core.files.storage import FileSystemStorage, default_storage

from faceengine.jobs.models import Job
from faceengine.jobs.workspace import delete_files


def delete_arrival(name: str) -> None:
    """Remove the file as it came, and its folder."""
    default_storage.delete(name)
    if isinstance(default_storage, FileSystemStorage):
        with suppress(OSError):  # another one has just arrived beside it
            folder = Path(default_storage.path(name)).parent
            folder.rmdir()
            folder.parent.rmdir()


def forget(job: Job) -> None:
    """Remove a job that has ended, and all that it has made."""
    delete_files(job)
    job.delete()

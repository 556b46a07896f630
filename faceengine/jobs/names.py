"""Names of files in the storage: ``jobs/<id>/previews/000300.png``, ``projects/…/clip.mp4``. Never paths."""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath

from faceengine.errors import InputError
from faceengine.jobs.models import Job


def checked(name: str) -> str:
    """``name`` if it stays inside the storage. Raises :class:`InputError` ``asset.name`` otherwise."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in name or "\0" in name:
        raise InputError("asset.name", f"{name!r} is no name of a file in the storage")
    return str(path)


def missing(name: str) -> InputError:
    """The error for something that a job needs and the storage does not have (any more)."""
    return InputError("asset.missing", f"{name} is not in the storage: it was deleted, or never got there")


def log_name(job: Job, attempt: int) -> str:
    """As :attr:`Attempt.log`."""
    return f"{job.folder}/logs/{attempt}.log"


def key_of(job: Job, name: str) -> str:
    """What the storage calls the file that is ``name`` within the job's folder."""
    return str(job.files.get(name, f"{job.folder}/{name}"))


def in_job(name: str) -> tuple[uuid.UUID, str] | None:
    """The job whose folder ``name`` lies in, and the rest of the name; ``None`` for all other names."""
    first, _, rest = name.partition("/")
    job, _, inside = rest.partition("/")
    try:
        return (uuid.UUID(job), inside) if first == "jobs" else None
    except ValueError:
        return None

"""Single files of jobs, as the pages need them."""

from __future__ import annotations

import json
from typing import Any

from django.core.files.storage import FileSystemStorage, default_storage

from faceengine.jobs.models import Job
from faceengine.jobs.names import key_of
from faceengine.jobs.paths import hide_all


def is_there(job: Job, name: str) -> bool:
    """Whether the job's file ``name`` still exists."""
    if isinstance(default_storage, FileSystemStorage):
        return default_storage.exists(key_of(job, name))
    return name in job.files


def read_json(job: Job, name: str) -> dict[str, Any] | None:
    """The job's file ``name``, a JSON object, without the machine's paths; ``None`` if it is gone."""
    try:
        with default_storage.open(key_of(job, name)) as file:
            found: dict[str, Any] = hide_all(json.loads(file.read()))
            return found
    except (OSError, ValueError):
        return None

"""Where a job's files are while its body works, and how names in the storage become paths on this machine.

A job's config names its inputs as the storage does (``jobs/<id>``, ``projects/…/clip.mp4``); a body only knows paths.
On a local or shared disk the two are the same files, and nothing is copied: that is :class:`Workspace`. On an object
store they are fetched and published: that is :class:`faceengine.jobs.remote.RemoteWorkspace`.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage, default_storage
from django.utils.module_loading import import_string

from faceengine.config import Config
from faceengine.events import ShouldStop, never
from faceengine.jobs import kinds
from faceengine.jobs.models import Job
from faceengine.jobs.names import checked, log_name, missing


class Workspace:
    """The files of one attempt at a job, on a disk that all machines share."""

    def __init__(self, job: Job, attempt: int) -> None:
        self.job = job
        self.attempt = attempt

    def enter(self) -> Path:
        """The run folder on this machine, with what earlier attempts left in it."""
        folder = self._local(self.job.folder)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def localise(self, config: dict[str, Any]) -> dict[str, Any]:
        """``config`` of the job's present step with a path on this machine in place of every name.

        Raises :class:`InputError` ``asset.missing`` for a name that the storage does not have, ``asset.name`` for one
        that leads out of it, and :class:`ConfigError` for a config that its class refuses.
        """
        return localised(config_class(self.job).from_dict(config), self._fetch).to_dict()

    def save(self, *, final: bool = False) -> dict[str, str]:  # noqa: ARG002 - for stores that are elsewhere
        """Publish what is new in the run folder; the new manifest for ``Job.files``. Empty where nothing is copied."""
        return {}

    def due(self) -> bool:
        """Whether files should be published although there is no checkpoint; where nothing is copied, never."""
        return False

    def log_path(self) -> Path:
        """The file for all that the attempt's body writes to its standard error."""
        path = self._local(log_name(self.job, self.attempt))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def publish_log(self) -> None:
        """Make the log readable for everybody; on a shared disk it is."""

    def clean(self) -> None:
        """Remove what only this attempt needed; on a shared disk that is nothing."""

    def _fetch(self, name: str) -> Path:
        path = self._local(name)
        if not path.exists():
            raise missing(name)
        return path

    def _local(self, name: str) -> Path:
        return Path(default_storage.path(checked(name)))


def workspace_of(job: Job, attempt: int, *, give_up: ShouldStop = never) -> Workspace:
    """The workspace that suits the storage of this installation; ``give_up`` ends its patience with a store."""
    if isinstance(default_storage, FileSystemStorage):
        return Workspace(job, attempt)
    # Loaded where it is needed only: boto3 is 20 MB of memory in every process.
    from faceengine.jobs.remote import RemoteWorkspace

    return RemoteWorkspace(job, attempt, give_up=give_up)


def delete_files(job: Job) -> None:
    """Remove everything that the job has in the storage."""
    if isinstance(default_storage, FileSystemStorage):
        shutil.rmtree(default_storage.path(job.folder), ignore_errors=True)
        return
    from faceengine.jobs.objects import Bucket

    bucket = Bucket()
    bucket.delete(list(bucket.tags(f"{job.folder}/")))


def config_class(job: Job) -> type[Config]:
    """The class of the config that the job's present step works with."""
    kind = kinds.get(job.kind)
    if job.step == "join" and kind.split is not None:
        joining: type[Config] = import_string(kind.split.join_config)
        return joining
    return kind.config


def localised(config: Config, fetch: Callable[[str], Path]) -> Config:
    """``config`` with ``fetch(name)`` in place of every path in it, at any depth."""
    changes = {field.name: _localised(getattr(config, field.name), fetch) for field in dataclasses.fields(config)}
    return dataclasses.replace(config, **changes)


def _localised(value: Any, fetch: Callable[[str], Path]) -> Any:
    if isinstance(value, Path):
        return fetch(value.as_posix())
    if isinstance(value, tuple):
        return tuple(_localised(item, fetch) for item in value)
    if isinstance(value, Config):
        return localised(value, fetch)
    return value

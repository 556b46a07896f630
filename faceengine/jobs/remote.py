"""A job's files when the storage is an object store: fetched to a scratch disk, published at every checkpoint.

What a job has in the store is what ``Job.files`` says: name in its folder → key. Every publishing writes new keys,
``jobs/<id>/files/<attempt>-<number>/<name>``, and becomes true when the manifest changes. So a manifest always names
files that belong together, and a runner that was given up (its attempt is old, its manifest is refused) replaces
nothing by whatever it still sends.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from django.conf import settings

from faceengine.errors import InputError
from faceengine.events import ShouldStop, never
from faceengine.jobs.models import Job
from faceengine.jobs.names import checked, in_job, log_name, missing
from faceengine.jobs.objects import Bucket
from faceengine.jobs.scratch import Cache, Place
from faceengine.jobs.workspace import Workspace

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
Signature = tuple[int, ...]

_AT_ONCE = 8
"""Objects that are fetched or sent side by side: a face set is thousands of small ones."""
_RETRIES = 3


class RemoteWorkspace(Workspace):
    """The files of one attempt at a job, whose home is an object store.

    All methods raise :class:`StoreError` ``store.unreachable`` or ``store.refused`` when the store stays away, and
    those that fetch raise :class:`InputError` ``asset.missing`` and ``disk.full``.
    """

    def __init__(self, job: Job, attempt: int, *, give_up: ShouldStop = never) -> None:
        super().__init__(job, attempt)
        self._bucket = Bucket(give_up)
        self._place = Place(f"{job.id}-{attempt}")
        self._run = self._place.folder / "run"
        self._sent: dict[str, tuple[str, Signature]] = {}
        """What is in the store: name → key, and the file it was made of."""
        self._saves = 0
        self._saved_at = time.monotonic()

    def enter(self) -> Path:
        self._place.take()
        self._run.mkdir()
        files = {checked(name): key for name, key in self.job.files.items()}
        _side_by_side(lambda item: self._bucket.download(item[1], self._run / item[0]), files.items())
        self._sent = {name: (key, _signature(self._run / name)) for name, key in files.items()}
        return self._run

    def due(self) -> bool:
        """A stage without checkpoints (an extraction) would otherwise begin anew on the next machine."""
        return time.monotonic() - self._saved_at >= settings.JOBS_SAVE_SECONDS

    def save(self, *, final: bool = False) -> dict[str, str]:
        """Publish what changed since the last time; may be called while the body writes.

        Pictures are sent after the database that names them was copied, so that no name leads nowhere.
        """
        published = self._published()
        if published is None:
            return {}
        self._saved_at = time.monotonic()
        self._sweep(published)
        self._sent = {name: sent for name, sent in self._sent.items() if published.get(name) == sent[0]}
        self._saves += 1
        databases = dict(self._copied_databases())
        files = databases | {name: (path, _signature(path)) for name, path in _files_in(self._run)}
        changed = {name: file for name, file in files.items() if self._sent.get(name, ("", ()))[1] != file[1]}
        kept = {name: sent for name, sent in self._sent.items() if name in files and name not in changed}
        self._sent = kept | dict(filter(None, _side_by_side(self._send, changed.items())))
        if final:
            self.publish_log()
        return {name: key for name, (key, _) in sorted(self._sent.items())}

    def log_path(self) -> Path:
        return self._place.folder / "log"

    def publish_log(self) -> None:
        with suppress(FileNotFoundError):
            self._bucket.upload(self.log_path(), log_name(self.job, self.attempt))

    def clean(self) -> None:
        """Remove the scratch folder, and what in the store belongs to no manifest any more."""
        self._place.leave()
        Cache().shrink()
        if (published := self._published()) is not None:
            self._sweep(published)

    # -- inputs --------------------------------------------------------------------------------------------------

    def _fetch(self, name: str) -> Path:
        name, cache = checked(name), Cache()
        target = self._place.folder / "inputs" / name
        for last in (False,) * _RETRIES + (True,):
            objects = self._objects(name)
            if not objects:
                raise missing(name)
            try:
                _side_by_side(
                    lambda item: cache.put(*item[1], target / item[0], self._bucket.download), objects.items()
                )
                return target
            except InputError as error:
                # A job that is still at work may have published a newer manifest while we read the older one.
                if error.code != "asset.missing" or last:
                    raise
        raise AssertionError("not reached")

    def _objects(self, name: str) -> dict[str, tuple[str, str]]:
        """What ``name`` stands for: path below it ("" for a file) → key and tag."""
        if (place := in_job(name)) is not None:
            return _of_a_job(*place)
        if tag := self._bucket.tag(name):
            return {"": (name, tag)}
        tags = self._bucket.tags(f"{name}/")
        return {key.removeprefix(f"{name}/"): (key, tag) for key, tag in tags.items() if not key.endswith("/")}

    # -- results -------------------------------------------------------------------------------------------------

    def _send(self, item: tuple[str, tuple[Path, Signature]]) -> tuple[str, tuple[str, Signature]] | None:
        """Send one file; ``None`` if it has gone meanwhile (an old checkpoint that was pruned)."""
        name, (path, signature) = item
        key = f"{self._keys}{self.attempt}-{self._saves}/{name}"
        try:
            self._bucket.upload(path, key)
        except FileNotFoundError:
            return None
        return name, (key, signature)

    def _copied_databases(self) -> Iterator[tuple[str, tuple[Path, Signature]]]:
        """A copy of every SQLite database at one moment, whoever writes to it."""
        for path in self._run.rglob("*.sqlite"):
            name = str(path.relative_to(self._run))
            signature = _signature(path) + _signature(path.with_name(path.name + "-wal"))
            copy = self._place.folder / "copies" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            with closing(sqlite3.connect(path, timeout=30)) as live, closing(sqlite3.connect(copy)) as target:
                live.backup(target)
            yield name, (copy, signature)

    # -- the manifest --------------------------------------------------------------------------------------------

    @property
    def _keys(self) -> str:
        return f"{self.job.folder}/files/"

    def _published(self) -> dict[str, str] | None:
        """The manifest as the ledger has it, or ``None`` when the job has passed to another attempt."""
        return Job.objects.filter(id=self.job.id, attempt=self.attempt).values_list("files", flat=True).first()

    def _sweep(self, published: dict[str, str]) -> None:
        """Remove objects of this and earlier attempts that ``published`` does not name: nobody can name them again."""
        named = set(published.values())
        keys = [key for key in self._bucket.tags(self._keys) if key not in named and self._is_old(key)]
        self._bucket.delete(keys)

    def _is_old(self, key: str) -> bool:
        attempt = key.removeprefix(self._keys).partition("-")[0]
        return attempt.isdigit() and int(attempt) <= self.attempt


def _of_a_job(job: UUID, inside: str) -> dict[str, tuple[str, str]]:
    """The files that a job's manifest has under ``inside``. Their keys are written once: the key is the tag."""
    files = Job.objects.filter(id=job).values_list("files", flat=True).first() or {}
    if inside in files:
        return {"": (files[inside], files[inside])}
    below = f"{inside}/" if inside else ""
    return {path.removeprefix(below): (key, key) for path, key in files.items() if path.startswith(below)}


def _files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Whole files with their names; not what is hidden (parts, locks), nor databases and their side files."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if not hidden and ".sqlite" not in path.suffix and path.is_file():
            yield str(name), path


def _signature(path: Path) -> Signature:
    """Differs when the file was written to or replaced; empty for none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _side_by_side(call: Callable[[ItemT], ResultT], items: Iterable[ItemT]) -> list[ResultT]:
    """``call`` of each item, some at a time; the first error is raised, and what has not begun then is left out."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        return list(pool.map(call, items))
    finally:
        pool.shutdown(cancel_futures=True)

"""Disk space of this machine for jobs whose files live elsewhere: a folder an attempt, and a cache of inputs.

::

    JOBS_SCRATCH_DIR/
      attempts/<job>-<attempt>/       what one attempt works in; its lock file beside it names the living
      cache/<key>-<digest>            inputs, each once, by key and tag; attempts hold links to them
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from django.conf import settings

_READABLE = 120
"""Characters of a key that its copy's name shows: enough to know whose copy it is."""


class Place:
    """The folder of one attempt, for as long as its process lives."""

    def __init__(self, name: str) -> None:
        self.folder = _root() / "attempts" / name
        self._lock = -1

    def take(self) -> None:
        """Make the folder, empty, and remove those whose processes are dead."""
        attempts = self.folder.parent
        attempts.mkdir(parents=True, exist_ok=True)
        with (attempts / ".guard").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            for lock in attempts.glob("*.lock"):
                _remove_if_free(lock)
            self._lock = os.open(_lock_of(self.folder), os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            self.folder.mkdir()

    def leave(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock >= 0:
            _lock_of(self.folder).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1


class Cache:
    """Files fetched before, kept while there is room for them. Several processes may use it at once."""

    def __init__(self) -> None:
        self._folder = _root() / "cache"
        self._folder.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, tag: str, path: Path, fetch: Callable[[str, Path], None]) -> None:
        """Give ``path`` the content that ``key`` has under ``tag``, by ``fetch(key, path)`` where it isn't here yet."""
        digest = hashlib.sha256(f"{key}\n{tag}".encode()).hexdigest()
        kept = self._folder / f"{_flat(key)[:_READABLE]}-{digest}"
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                os.utime(kept)  # the time of its last use
                return _give(kept, path)
            except FileNotFoundError:  # never fetched, or another process has just made room
                fetch(key, kept)
                kept.chmod(0o444)  # it is many jobs' input

    def shrink(self) -> None:
        """Remove what was not used for longest until the rest fits ``settings.JOBS_CACHE_MB``."""
        room = settings.JOBS_CACHE_MB * 2**20
        for _, size, path in sorted(self._files(), reverse=True):
            room -= size
            if room < 0:
                path.unlink(missing_ok=True)

    @staticmethod
    def forget(folders: Collection[str]) -> None:
        """Remove what was fetched from those folders of the storage: it may not be here any more."""
        starts = tuple(f"{_flat(folder)}+"[:_READABLE] for folder in folders)
        kept = _root() / "cache"
        if not starts or not kept.is_dir():
            return
        for path in kept.iterdir():
            if path.name.lstrip(".").startswith(starts):
                path.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """When last used, bytes, path; parts of what is being fetched, or was when its process died, included."""
        for entry in os.scandir(self._folder):
            with suppress(FileNotFoundError):
                stat = entry.stat()
                yield stat.st_mtime, stat.st_size, Path(entry.path)


def _flat(key: str) -> str:
    """``key`` as a part of a file's name."""
    return "+".join(re.sub(r"[^A-Za-z0-9._-]", "_", part) for part in key.split("/"))


def _give(kept: Path, path: Path) -> None:
    """Make ``path`` the same file; a copy of a database, since that may be written to even when it is only read."""
    path.unlink(missing_ok=True)
    if path.suffix == ".sqlite":
        shutil.copyfile(kept, path)
    else:
        path.hardlink_to(kept)


def _root() -> Path:
    return Path(settings.JOBS_SCRATCH_DIR)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def is_free(attempt: str) -> bool:
    """Whether no process works in the folder of that attempt any more."""
    with _held(_lock_of(_root() / "attempts" / attempt)) as free:
        return free


def _remove_if_free(lock: Path) -> None:
    """Remove a folder and its lock if nobody works in it any more."""
    with _held(lock) as free:
        if free:
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)


@contextmanager
def _held(lock: Path) -> Iterator[bool]:
    """Hold the lock, if the kernel says that nobody else does: whether that is so. One that is gone is nobody's."""
    with ExitStack() as opened:
        try:
            file = opened.enter_context(lock.open())
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, FileNotFoundError) as error:
            yield isinstance(error, FileNotFoundError)
            return
        yield True

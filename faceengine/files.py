"""Files that are whole or not there, and folders that one process works in."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faceengine.errors import InputError


def replace_file(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that at any moment, power loss included, the old or the new file is there whole."""
    part = partial(path)
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        publish(part, path)
    finally:
        part.unlink(missing_ok=True)


def partial(path: Path) -> Path:
    """The temporary name beside ``path`` under which it is written until it is whole; the ending stays."""
    return path.with_name(f".{path.stem}.part{path.suffix}")


def publish(part: Path, path: Path) -> None:
    """Give a whole, synced file its name, durably."""
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sha256(path: Path) -> str:
    """The file's SHA-256 as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shown(path: Path) -> str:
    """Return ``path`` as text that can be printed and stored: bytes that are not UTF-8 as ``\\xd6``."""
    return os.fsencode(path).decode(errors="backslashreplace")


def disk_full(path: Path) -> InputError:
    """The error for a disk that filled up while ``path`` was written."""
    return InputError("disk.full", f"the disk is full: {path} can't be written")


def is_disk_full(error: BaseException) -> bool:
    """Whether an ``OSError`` or a database error says that the disk or the quota is full."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return "disk is full" in str(error)


@contextmanager
def only_process(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process. Raises :class:`InputError` while another one holds it.

    The lock is the kernel's: it goes when the process does, however it dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError("folder.busy", f"another process is at work in {folder}") from error
        yield

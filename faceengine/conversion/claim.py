"""One process at a time writes a given file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faceengine.errors import InputError


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Hold the right to write ``path``. Raises :class:`InputError` ``output.busy`` while another process has it.

    Other than :func:`files.only_process` it leaves the folder free: two conversions may write into one folder. The
    lock is the kernel's and goes when the process does; its file beside ``path`` goes with the context.
    """
    lock = path.with_name(f".{path.name}.lock")
    file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last holder may have removed the file between our open and our lock: then others lock a new one.
            held = lock.exists() and os.path.samestat(os.fstat(file), lock.stat())
        except (BlockingIOError, FileNotFoundError):
            held = False
        if not held:
            raise InputError("output.busy", f"another process is writing {path}")
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
    finally:
        os.close(file)

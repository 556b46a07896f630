"""The folder of people's keys, ``CONSENT_KEYS_DIR``: a small file for each, wrapped by the master key.

They are not in the database, since a copy of a database keeps what was deleted in it. A key that is destroyed is gone
from this folder, and the folder is left out of the backups (``docs/running.md``).
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from django.conf import settings

_NAME = re.compile(r"[0-9a-f]{32}")


def folder() -> Path:
    """Return the folder, made for this user only when it is first needed."""
    found = Path(settings.CONSENT_KEYS_DIR)
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def write(wrapped: bytes) -> str:
    """Keep a wrapped key; its name. It is on the disk when this returns. Raises ``OSError``."""
    name = secrets.token_hex(16)
    with os.fdopen(os.open(folder() / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(wrapped)
        file.flush()
        os.fsync(file.fileno())
    _sync(folder())
    return name


def read(name: str) -> bytes:
    """Return a wrapped key. Raises ``OSError`` if it is not there."""
    return _path(name).read_bytes()


def destroy(name: str) -> bool:
    """Overwrite a key and remove its file; whether it was here. Raises ``OSError``.

    Where a disk keeps what was overwritten, the master key still wraps it.
    """
    path = _path(name)
    try:
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return False
    path.unlink(missing_ok=True)
    _sync(path.parent)
    return True


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise FileNotFoundError(f"{name!r} names no key")
    return Path(settings.CONSENT_KEYS_DIR) / name


def _sync(found: Path) -> None:
    """The entry of a folder is durable only when the folder is written."""
    handle = os.open(found, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Files that only the studio's own user may read."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

UMASK = 0o077
_FOLDER, _FILE = 0o700, 0o600


def be_private() -> None:
    """Let what this process, and all that it starts, make from now on be readable for its own user only."""
    os.umask(UMASK)


def keep_private(folder: Path) -> None:
    """Make ``folder`` if it isn't there, and close it and what lies directly in it to others.

    What is deeper can't be reached through a closed folder. Files of another user are left as they are.
    """
    folder.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    _close(folder, _FOLDER)
    with suppress(OSError):
        for path in folder.iterdir():
            if not path.is_symlink():
                _close(path, _FOLDER if path.is_dir() else _FILE)


def _close(path: Path, mode: int) -> None:
    with suppress(OSError):
        if path.stat().st_mode & UMASK:
            path.chmod(mode)

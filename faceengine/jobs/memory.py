"""How much memory a job may have, and how much it has."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from django.conf import settings

_SHARE = 0.8
"""Of the machine's memory, where nobody said otherwise: the rest is for the system, the web and the database."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def limit_mb() -> int:
    """Return how many MiB all processes of a job may have together."""
    return int(settings.JOBS_MEMORY_LIMIT_MB) or int(_SHARE * _machine_bytes()) >> 20


def used_mb(group: int) -> int:
    """Return how many MiB the processes of a process group have for themselves alone."""
    pages = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            # "pid (name) state ppid pgrp …", where the name may contain anything
            if int((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[2]) == group:
                _, resident, shared, *_ = map(int, (folder / "statm").read_text().split())
                pages += resident - shared
    return pages * _PAGE >> 20


def _machine_bytes() -> int:
    whole = _PAGE * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # "max" where there is no limit
        return min(whole, int(_CGROUP.read_text()))
    return whole

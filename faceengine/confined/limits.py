"""What a confined process may use, and what it is told of the machine."""

from __future__ import annotations

import dataclasses
import json
import os
import resource
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PLAIN = (
    "PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "TMPDIR", "PYTHONPATH", "PYTHONHASHSEED", "OMP_WAIT_POLICY",
    "OMP_NUM_THREADS", "HOME", "XDG_CACHE_HOME", "TORCH_HOME", "FACEENGINE_WEIGHTS",
)  # fmt: skip
"""Variables that say where programs are and how the machine is set up; none holds a secret."""
_PREFIXES = ("LC_",)


@dataclass(frozen=True)
class Limits:
    """Most that one process may use. Lower limits that are in force already stay."""

    memory_mb: int = 2048
    """Address space."""
    cpu_seconds: int = 60
    file_mb: int = 0
    """Size of a file that it writes; 0: it writes none."""
    open_files: int = 256
    processes: int = 256
    """Processes and threads beside those that its user has when it starts."""

    def apply(self) -> None:
        """Limit this process and all that it starts."""
        size = self.file_mb << 20
        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_AS, self.memory_mb << 20)
        _lower(resource.RLIMIT_CPU, self.cpu_seconds)
        _lower(resource.RLIMIT_FSIZE, size)
        _lower(resource.RLIMIT_NOFILE, self.open_files)
        _lower(resource.RLIMIT_NPROC, _tasks_of(os.getuid()) + self.processes)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of a confined process: :data:`PLAIN` and ``more``."""
    kept = {name: value for name, value in os.environ.items() if name in PLAIN or name.startswith(_PREFIXES)}
    return kept | dict(more or {})


def _lower(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _tasks_of(uid: int) -> int:
    """Return how many processes and threads of ``uid`` there are: the kernel counts them all together."""
    count = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError, ValueError, IndexError):
            fields = dict(line.partition(":")[::2] for line in status.read_text().splitlines())
            if int(fields["Uid"].split()[0]) == uid:
                count += int(fields["Threads"])
    return count

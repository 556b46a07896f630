"""Making this process a confined one."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable
from pathlib import Path

from faceengine.confined import kernel, nobody
from faceengine.confined.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
_SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts",
    "/etc/alternatives", "/etc/nsswitch.conf", "/etc/passwd", "/etc/mime.types", "/etc/ssl/openssl.cnf",
    "/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/ca-certificates",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm", "/sys/devices/system", "/sys/fs/cgroup",
    "/dev/urandom", "/dev/random", "/dev/zero", "/proc/self",
)  # fmt: skip
_DEVICES = (Path("/dev/null"), Path("/dev/full"))


def enter(limits: Limits, *, reads: Iterable[Path], writes: Iterable[Path], parent: int = 0) -> None:
    """Confine this process, and all that it starts, for good.

    It may read ``reads``, programs, the studio's code and public files of the system, write only below ``writes``
    (which root gives to another user), open no socket, and use no more than ``limits``. With ``parent`` it dies when
    that process does. What the kernel does not offer is left out.
    """
    own, reads, writes = code(), [_real(path) for path in reads], [_real(path) for path in writes]
    if os.geteuid() == 0:
        nobody.become(own, reads, writes)
    limits.apply()
    if writes:
        os.environ["TMPDIR"] = str(writes[0])
    if parent:
        kernel.die_with(parent)
    kernel.no_new_privileges()
    kernel.allow_files([*map(Path, _SYSTEM), *own, *reads, *writes], [*writes, *_DEVICES])
    kernel.refuse_calls()


def code() -> list[Path]:
    """Return the folders of the studio's code, of Python and of its packages."""
    folders = [sys.prefix, sys.base_prefix, *site.getsitepackages(), *_elsewhere()]
    found = {_real(Path(folder)) for folder in folders if Path(folder).is_absolute()}
    return sorted(found | {ROOT / "faceengine", ROOT / "webapp", Path(sys.prefix)})


def _elsewhere() -> list[str]:
    """Return folders that ``PYTHONPATH`` and path files add."""
    return [folder for folder in sys.path if folder and Path(folder).is_dir() and Path(folder) != ROOT]


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))

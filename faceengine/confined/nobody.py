"""Becoming a user without rights, where the studio runs as root.

That user must reach what it may use through folders that only root may enter. So, in a mount namespace of its own, the
first such folder on the way is covered by an empty one, in which nothing but what it may use appears again.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from faceengine.confined.kernel import LIBC

USER = 65534
"""``nobody``: owns nothing, and may do nothing."""
_NEW_MOUNTS = 0x00020000
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_MAY_ENTER = stat.S_IXOTH


def become(code: Iterable[Path], reads: Iterable[Path], writes: Iterable[Path]) -> bool:
    """Become :data:`USER`, who can reach all three, read ``reads`` and owns ``writes``. Returns whether that worked.

    For root only. Where it fails half-way this process stays root, with the namespace it had or an own one.
    """
    writes = [path for path in writes if path.exists()]
    reads = [path for path in reads if path.exists()]
    needed = [path for path in (*code, *reads, *writes) if path.exists()]
    before = os.umask(0o022)
    try:
        _show(needed)
        for path in reads:
            _lend(path)
        for path in writes:
            _own(path)
    except OSError:
        return False
    finally:
        os.umask(before)
    if not all(_reachable(path) for path in needed):
        return False
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    return True


def _show(paths: list[Path]) -> None:
    """Cover every folder that others may not enter, and show ``paths`` in it again."""
    covered: dict[Path, list[Path]] = {}
    for path in paths:
        closed = next((one for one in reversed(path.parents) if not one.stat().st_mode & _MAY_ENTER), None)
        if closed is not None:
            covered.setdefault(closed, []).append(path)
    if not covered:
        return
    _call(LIBC.unshare(_NEW_MOUNTS), "a mount namespace")
    _call(LIBC.mount(None, b"/", None, _RECURSIVE | _PRIVATE, None), "/")
    for closed, inside in covered.items():
        places = [(path, path.is_dir(), os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in _outermost(inside)]
        _call(LIBC.mount(b"tmpfs", os.fsencode(closed), b"tmpfs", 0, b"mode=755,size=1m"), str(closed))
        for path, is_folder, place in places:
            _bind(path, is_folder, place)


def _outermost(paths: list[Path]) -> list[Path]:
    """Return ``paths`` without those that lie in another one."""
    found = set(paths)
    return sorted(path for path in found if not found & set(path.parents))


def _bind(path: Path, is_folder: bool, place: int) -> None:
    folder = path if is_folder else path.parent
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not is_folder:
        path.touch()
    source = os.fsencode(f"/proc/self/fd/{place}")
    _call(LIBC.mount(source, os.fsencode(path), None, _BIND | _RECURSIVE, None), str(path))
    os.close(place)


def _lend(path: Path) -> None:
    """Let the group of :data:`USER` read a file, or a folder with all that is in it, that others may not read."""
    mode = path.stat().st_mode
    is_folder = stat.S_ISDIR(mode)
    if not mode & stat.S_IROTH:
        os.chown(path, -1, USER)
        path.chmod(stat.S_IMODE(mode) | stat.S_IRGRP | (stat.S_IXGRP if is_folder else 0))
    for inside in path.iterdir() if is_folder else ():
        if not inside.is_symlink():
            _lend(inside)


def _own(path: Path) -> None:
    """Give ``path``, and what is in it, to :data:`USER`."""
    os.chown(path, USER, USER, follow_symlinks=False)
    for folder, folders, names in os.walk(path):
        for name in [*folders, *names]:
            os.chown(Path(folder, name), USER, USER, follow_symlinks=False)


def _reachable(path: Path) -> bool:
    return all(one.stat().st_mode & _MAY_ENTER for one in path.parents)


def _call(answer: int, what: str) -> None:
    if answer:
        raise OSError(ctypes.get_errno(), what)

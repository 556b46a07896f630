"""System calls that Python has no names for: Landlock, seccomp, and dying with one's parent."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct
from collections.abc import Iterable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_FILTER = 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""The same on all architectures."""
_VERSION, _PATH_BENEATH = 1, 1

# ---- Landlock: which files ------------------------------------------------------------------------------------------

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_FILES_ONLY = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READS = _EXECUTE | _READ_FILE | _READ_DIR
_WRITES = ((1 << 13) - 1) | 1 << 13 | _TRUNCATE
_KNOWN = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
"""Rights that each version of Landlock knows; later ones know all."""
_ALL = (1 << 16) - 1
_TCP = 3
"""Binding and connecting."""
_SCOPES = 3
"""Abstract Unix sockets and signals to processes outside."""


def landlock_version() -> int:
    """Return the version of Landlock that the kernel offers; 0: none."""
    return max(0, int(LIBC.syscall(_CREATE_RULESET, None, 0, _VERSION)))


def allow_files(reads: Iterable[Path], writes: Iterable[Path]) -> bool:
    """Let this process, and all that it starts, open nothing but what is below ``reads`` and ``writes``.

    Paths that aren't there are passed over. Returns whether the kernel did so; needs :func:`no_new_privileges`.
    """
    version = landlock_version()
    if not version:
        return False
    known = _KNOWN.get(version, _ALL)
    attributes = struct.pack("QQQ", known, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = LIBC.syscall(_CREATE_RULESET, attributes, size, 0)
    if ruleset < 0:
        return False
    try:
        for paths, rights in ((reads, _READS), (writes, _WRITES)):
            for path in paths:
                _allow(ruleset, path, rights & known)
        return bool(LIBC.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights &= rights if path.is_dir() else _FILES_ONLY
        rule = struct.pack("=Qi", rights, place)
        if LIBC.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0):
            raise OSError(ctypes.get_errno(), f"{path} can't be allowed")
    finally:
        os.close(place)


# ---- seccomp: which system calls ------------------------------------------------------------------------------------

_REFUSED = {
    # socket, ptrace, mount, umount2, chroot, pivot_root, init_module, delete_module, keyctl, add_key, request_key,
    # unshare, setns, process_vm_readv, process_vm_writev, finit_module, kexec_load, bpf, userfaultfd, perf_event_open,
    # io_uring_setup, open_by_handle_at, move_mount, fsopen, pidfd_getfd
    "x86_64": (0xC000003E, (41, 101, 165, 166, 161, 155, 175, 176, 250, 248, 249, 272, 308, 310, 311, 313, 246, 321,
                            323, 298, 425, 304, 429, 430, 438)),
    "aarch64": (0xC00000B7, (198, 117, 40, 39, 51, 41, 105, 106, 219, 217, 218, 97, 268, 270, 271, 273, 104, 280, 282,
                             241, 425, 265, 429, 430, 438)),
}  # fmt: skip
"""By machine: how the kernel calls it, and the numbers of what is answered with "not permitted"."""
_X32 = 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_OK, _KILL, _EPERM = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def knows_calls() -> bool:
    """Return whether :func:`refuse_calls` knows this machine's system calls."""
    return platform.machine() in _REFUSED


def refuse_calls() -> bool:
    """Let this process, and all that it starts, open no socket, trace no process and mount nothing.

    Sockets in pairs stay possible. Returns whether the kernel did so; needs :func:`no_new_privileges`.
    """
    if not knows_calls():
        return False
    architecture, numbers = _REFUSED[platform.machine()]
    code = _instructions(architecture, numbers)
    program = _Program(len(code) // 8, code)
    return bool(LIBC.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0)


def _instructions(architecture: int, numbers: tuple[int, ...]) -> bytes:
    def one(code: int, yes: int, no: int, value: int) -> bytes:
        return struct.pack("HBBI", code, yes, no, value)

    made = [one(_LOAD, 0, 0, 4), one(_EQUAL, 1, 0, architecture), one(_RETURN, 0, 0, _KILL), one(_LOAD, 0, 0, 0)]
    made += [one(_AT_LEAST, 0, 1, _X32), one(_RETURN, 0, 0, _KILL)]
    for place, number in enumerate(numbers):
        made.append(one(_EQUAL, len(numbers) - place, 0, number))
    return b"".join([*made, one(_RETURN, 0, 0, _OK), one(_RETURN, 0, 0, _EPERM)])


# ---- the rest --------------------------------------------------------------------------------------------------------


def no_new_privileges() -> bool:
    """Let no program that this process starts have more rights than it has itself."""
    return bool(LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when ``parent`` dies; at once if it is dead already."""
    LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)

"""What a person reads when a command can't go on: one line, and the exit code."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from faceengine.errors import EngineError, InputError, out_of_memory

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True)
class Line:
    """A stable ``code``, one ``sentence`` for people, and the process's ``exit_code``."""

    code: str
    sentence: str
    exit_code: int

    @property
    def text(self) -> str:
        """What stderr gets."""
        return f"{self.sentence} [{self.code}]"


def one_line(error: Exception) -> Line | None:
    """What to tell of ``error``; ``None`` for a defect of the program, whose traceback is needed."""
    if isinstance(error, EngineError):
        return Line(error.code, _flat(str(error)), error.exit_code)
    for cause in _causes(error):
        if (told := _outside(cause)) is not None:
            return Line(*told, InputError.exit_code)
    return None


def _outside(error: BaseException) -> tuple[str, str] | None:
    """Code and sentence for an error whose cause is the machine's, not the program's."""
    name = getattr(error, "filename", None)
    where = f" (at {name})" if name else ""
    if _is_full(error):
        return "disk.full", f"the disk is full, or a file may not grow any more{where}"
    if isinstance(error, OSError) and error.errno in _DENIED:
        return "disk.denied", f"not allowed to read or write there{where}: {error.strerror}"
    if isinstance(error, OSError) and error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG):
        return "disk.path", f"that path can't be used{where}: {error.strerror}"
    if out_of_memory(error):
        return "memory.full", "not enough memory for this: end what else uses it, or take a smaller preset or batch"
    return None


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    if isinstance(error, sqlite3.OperationalError):
        # SQLite reports a failed write of its log as an I/O error, also when the reason was a full disk.
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    # Libraries written in Rust and C++ keep nothing but the system's text.
    return any(os.strerror(number) in str(error) for number in _FULL)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _flat(text: str) -> str:
    return " ".join(text.split())

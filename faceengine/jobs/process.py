"""The body of a job as its runner sees it: a process that writes lines, can be asked to stop, and can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from django.conf import settings

_HELD = 10_000
"""Lines that wait to be read at most; then the body has to wait."""
_LOOK_SECONDS = 0.05
_LONGEST_LINE = 1 << 20
"""Bytes. What is longer comes in pieces, and is no event."""


@contextlib.contextmanager
def _told(given: Mapping[str, str] | None) -> Iterator[int | None]:
    """A file in memory to read ``given`` from, for as long as a child is started; ``None`` for nothing.

    A pipe holds no more than 64 KiB before somebody reads, and faces of several looks may be more.
    """
    if not given:
        yield None
        return
    with os.fdopen(os.memfd_create("given"), "w+") as file:
        json.dump(dict(given), file)
        file.flush()
        file.seek(0)
        yield file.fileno()


class Process:
    """A body that has been started. Its process id is also its group's."""

    def __init__(
        self,
        arguments: Sequence[str],
        log: IO[bytes],
        environment: dict[str, str],
        *,
        given: Mapping[str, str] | None = None,
        memory_mb: int = 0,
    ) -> None:
        """Start ``python -m faceengine.body`` with ``arguments``. To be called in the main thread: the kernel takes the
        end of the thread that started a process for the end of its parent.

        ``environment`` is all that it has. ``given`` goes through a file in memory: no list of processes shows that.
        """
        command = [sys.executable, "-m", "faceengine.body", *arguments, "--parent", str(os.getpid())]
        if memory_mb:
            command += ["--memory-mb", str(memory_mb)]
        with _told(given) as file:
            command += ["--given", str(file)] if file is not None else []
            self._start(command, log, environment, () if file is None else (file,))

    def _start(self, command: list[str], log: IO[bytes], environment: dict[str, str], files: tuple[int, ...]) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=Path(settings.BASE_DIR),
            env=environment,
            pass_fds=files,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        self._reaping = threading.Lock()
        self._lines: queue.Queue[bytes | None] = queue.Queue(_HELD)
        threading.Thread(target=self._read, name="body's lines", daemon=True).start()

    @property
    def group(self) -> int:
        """Number of the process group of the body and all that it has started."""
        return self._process.pid

    def line(self, within: float) -> bytes | None:
        """The next line, or empty if there is none ``within`` seconds; ``None`` after the last one."""
        try:
            return self._lines.get(timeout=within)
        except queue.Empty:
            return b""

    def ask_to_stop(self) -> None:
        """The keeper passes it on to the worker, and to nothing that the worker itself has started."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the whole group; nothing is done once it has ended and its number may be somebody else's."""
        with self._reaping:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def ended(self) -> bool:
        """Whether the body has ended. What is left of its group then is killed."""
        if self._process.returncode is None:
            if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return False
            self.kill()
        return True

    def wait(self) -> int:
        """The exit code, negative for a signal."""
        while not self.ended():
            time.sleep(_LOOK_SECONDS)
        with self._reaping:
            return self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline(_LONGEST_LINE):
            self._lines.put(line)
        self._lines.put(None)

"""What the parts of ``bench.jobs`` share: a studio in ``DATA_DIR``, its processes, and looking at them in ``/proc``."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def open_studio() -> None:
    """Set Django up in this process and make the tables."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def manage(*words: str, **variables: str) -> subprocess.Popen[bytes]:
    """Start ``manage.py`` in a session of its own; what it says goes to this process's standard error."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=sys.stderr.fileno(),
        start_new_session=True,
    )


@contextmanager
def running(*words: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """``manage.py`` for as long as the block runs; then it is asked to end, and killed with all its children if not."""
    process = manage(*words, **variables)
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], within: float = 60.0) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        kill_tree(process.pid)
        process.wait()


def kill_tree(root: int) -> None:
    """SIGKILL a process and all that descend from it at once, as a machine does that loses its power."""
    doomed = [root, *descendants(root)]
    for pid in doomed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def descendants(root: int) -> list[int]:
    """Ids of the processes below ``root``."""
    children: dict[int, list[int]] = {}
    for pid in _pids():
        if (status := _stat(pid)) is not None:
            children.setdefault(int(status[1]), []).append(pid)
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def bodies(job: Any = "") -> list[int]:
    """Ids of this studio's bodies, or of those of one job. Their own children are not counted."""
    return [pid for pid in of_this_studio() if "faceengine.body" in (line := command_line(pid)) and str(job) in line]


def of_this_studio() -> list[int]:
    """Ids of all processes that were started for this ``DATA_DIR``, this one left out."""
    return of_studio(os.environ["DATA_DIR"])


def of_studio(data_dir: str) -> list[int]:
    """Ids of all processes that were started for a ``DATA_DIR``, this one left out.

    Those that read a stranger's file have nothing in their environment, but their command names what they may read.
    """
    mark = f"DATA_DIR={data_dir}\0".encode()
    found = (pid for pid in _pids() if mark in _read(pid, "environ") or data_dir.encode() in _read(pid, "cmdline"))
    return [pid for pid in found if pid != os.getpid()]


def end_studio(data_dir: str) -> None:
    """Kill what still runs for a ``DATA_DIR`` and wait for it: a process that was killed may write for a moment yet."""
    for pid in of_studio(data_dir):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not of_studio(data_dir), 60.0, f"the processes of {data_dir} are gone")


def command_line(pid: int) -> str:
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")


def memory(pids: list[int]) -> float:
    """MB of memory that the processes use together, shared pages counted once (PSS)."""
    lines = (line for pid in pids for line in _read(pid, "smaps_rollup").splitlines() if line.startswith(b"Pss:"))
    return sum(int(line.split()[1]) for line in lines) / 1024


def processor_seconds(pids: list[int]) -> float:
    """Seconds of processor time that the processes have used."""
    ticks = sum(int(status[11]) + int(status[12]) for pid in pids if (status := _stat(pid)) is not None)
    return ticks / os.sysconf("SC_CLK_TCK")


def wait_until(what: Callable[[], Any], within: float, say: str) -> Any:
    """The first true value of ``what()``. Raises ``TimeoutError`` after ``within`` seconds."""
    deadline = time.monotonic() + within
    while not (value := what()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:.0f} s: {say}")
        time.sleep(0.05)
    return value


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    """The fields of ``/proc/PID/stat`` after the command: state, parent …; ``None`` for the dead and for zombies."""
    fields = _read(pid, "stat").decode(errors="replace").rpartition(")")[2].split()
    return fields if fields and fields[0] != "Z" else None


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""

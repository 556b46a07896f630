"""Fetching the missing weights by itself: bounded in time, told once, and seen by whoever looks at the folder.

``make demo`` waits for it, ``make run`` and the studio's page have a process of its own for it. It goes on without what
can't be had: every network that is downloaded has another one that comes with a package.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from faceengine.errors import InputError
from faceengine.events import Event, OnEvent, Progress, ShouldStop, ignore, never
from faceengine.files import only_process, replace_file
from faceengine.weights import WEIGHTS, Weight, download_folder, fetch, find, source

VARIABLE = "FETCH_WEIGHTS"
"""``0``: nothing is fetched unless somebody asks for it by name. ``1``: the studio begins with it when it starts."""
PROBE_SECONDS = 3.0
"""So long in all a server may take to answer at all."""
READ_SECONDS = 10.0
"""So long a server that has answered may be silent."""
_FOLDER, _STATE = ".fetching", "state.json"
_WRITE_EVERY = 0.5
_BEGIN_SECONDS = 5.0
"""So long the start of a process is waited for."""
_ROOT = Path(__file__).resolve().parents[1]


class _Stopped(Exception):  # noqa: N818 - not an error
    """Somebody asked to stop."""


@dataclass(frozen=True)
class Fetching:
    """How far the last fetching of this machine's weights is, or how it ended."""

    running: bool = False
    name: str = ""
    """What is being fetched."""
    done: int = 0
    total: int | None = None
    """Bytes."""
    got: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    """Name and stable code of what could not be had."""

    @classmethod
    def here(cls) -> Self:
        """Return what is known on this machine. One whose process is gone is not running, whatever it wrote last."""
        folder = download_folder() / _FOLDER
        try:
            known = json.loads((folder / _STATE).read_text())
            found = cls(**known | {"got": tuple(known["got"]), "failed": tuple(map(tuple, known["failed"]))})
        except (OSError, ValueError, TypeError, KeyError):
            found = cls()
        return dataclasses.replace(found, running=_held(folder))


def off() -> bool:
    """Return whether this installation never asks for weights by itself."""
    return os.environ.get(VARIABLE) == "0"


def missing() -> list[Weight]:
    """Return what no package carries and is not on this machine."""
    return [weight for weight in WEIGHTS.values() if weight.carried_by is None and find(weight.name) is None]


def fetch_missing(*, on_event: OnEvent = ignore, should_stop: ShouldStop = never) -> Fetching:
    """Fetch all that is missing, as far as its server answers within :data:`PROBE_SECONDS`.

    Raises nothing for what can't be had: the result tells of it. Raises :class:`InputError` ``folder.busy`` if another
    process of this machine is at it, ``weights.unwritable`` if the folder can't be written to.
    """
    wanted = missing()
    if not wanted:
        return Fetching()
    folder = download_folder() / _FOLDER
    try:
        with only_process(folder):
            return _fetch_all(wanted, _Told(folder / _STATE, on_event, should_stop))
    except OSError as error:
        raise InputError("weights.unwritable", f"{folder} can't be written: {error}") from error


def in_words(found: Fetching) -> str:
    """Return one line for people about what could not be had; empty if everything is here."""
    if not found.failed:
        return ""
    reasons = dict.fromkeys(_REASONS.get(code, code) for _, code in found.failed)
    return (
        f"Going on without the weights {' and '.join(name for name, _ in found.failed)} ({'; '.join(reasons)}): the "
        "networks that came along do their work, less well. To get them later: python -m faceengine weights --fetch"
    )


_REASONS = {
    "weights.unreachable": "their servers can't be reached",
    "weights.hash": "what was sent is not the right file",
    "disk.full": "the disk is full",
}


def _fetch_all(wanted: Sequence[Weight], told: _Told) -> Fetching:
    told.now(Fetching(running=True, name=wanted[0].name))
    reached = _reached(wanted)
    for weight in wanted:
        try:
            if weight not in reached:
                raise InputError("weights.unreachable", f"{source(weight)} does not answer")
            told.now(dataclasses.replace(told.state, name=weight.name, done=0, total=weight.size))
            fetch(weight.name, on_event=told, timeout=READ_SECONDS)
            told.now(dataclasses.replace(told.state, got=(*told.state.got, weight.name)))
        except _Stopped:
            break
        except InputError as error:
            told.now(dataclasses.replace(told.state, failed=(*told.state.failed, (weight.name, error.code))))
    told.now(dataclasses.replace(told.state, running=False))
    return told.state


def _reached(wanted: Sequence[Weight]) -> list[Weight]:
    """Return those whose server answers in time. All are asked at once: looking up a name can hang for a minute."""
    answers: dict[str, bool] = {}

    def ask(weight: Weight) -> None:
        answers[weight.name] = _answers(source(weight))

    asking = [threading.Thread(target=ask, args=(weight,), daemon=True) for weight in wanted]
    until = time.monotonic() + PROBE_SECONDS
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(max(0.0, until - time.monotonic()))
    return [weight for weight in wanted if answers.get(weight.name)]


def _answers(address: str) -> bool:
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "faceengine"}, method="HEAD")
        urllib.request.urlopen(request, timeout=PROBE_SECONDS).close()
    except urllib.error.HTTPError:
        return True  # it is there, and the download will say what is wrong
    except (OSError, ValueError, urllib.error.URLError):
        return False
    except Exception:  # whatever half a protocol sounds like
        return False
    return True


class _Told:
    """Passes events on, and keeps the state for whoever looks at the folder."""

    def __init__(self, path: Path, on_event: OnEvent, should_stop: Callable[[], bool]) -> None:
        self._path = path
        self._on_event = on_event
        self._should_stop = should_stop
        self._written = 0.0
        self.state = Fetching()

    def __call__(self, event: Event) -> None:
        if self._should_stop():
            raise _Stopped
        self._on_event(event)
        if isinstance(event, Progress) and time.monotonic() - self._written >= _WRITE_EVERY:
            self.now(dataclasses.replace(self.state, done=event.done, total=event.total))

    def now(self, state: Fetching) -> None:
        # The first that comes of a file is written at once.
        self._written = time.monotonic() if state.done else 0.0
        self.state = state
        replace_file(self._path, json.dumps(dataclasses.asdict(state)).encode())


def _held(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    try:
        with only_process(folder):
            return False
    except InputError:
        return True
    except OSError:  # somebody else's folder, which this process may only read
        return False


def begin() -> None:
    """Start a process that fetches what is missing, and return once it is at work. Does nothing where one is."""
    folder = download_folder() / _FOLDER
    if _held(folder):
        return
    command = [sys.executable, "-m", "faceengine", "weights", "--fetch", "--if-online", "--quiet"]
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=_ROOT, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
    )
    until = time.monotonic() + _BEGIN_SECONDS
    while process.poll() is None and not _held(folder) and time.monotonic() < until:
        time.sleep(0.05)
    # Somebody has to take note of its end.
    threading.Thread(target=process.wait, daemon=True).start()

"""Bounded concurrency with a share for each client, on one machine, whatever the number of its processes.

A file holds who has a turn and who waits for one; the kernel's lock on it is held for microseconds. Of those that wait
the client with the fewest turns is next, then whoever waits longest. Whoever's process has died counts no more.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

_LOOK_SECONDS, _SLOWER, _SLOWEST = 0.05, 1.3, 0.3
"""Whoever waits looks less and less often, so that many who wait cost little."""


class BusyError(Exception):
    """There is no turn now. ``mine``: the client has its share; otherwise others have all of them."""

    def __init__(self, name: str, *, mine: bool, retry_after: int) -> None:
        super().__init__(name)
        self.name = name
        self.mine = mine
        self.retry_after = retry_after
        """Seconds."""

    @property
    def code(self) -> str:
        return f"{self.name}.often" if self.mine else f"{self.name}.busy"

    @property
    def status(self) -> int:
        return 429 if self.mine else 503


@dataclass
class _Entry:
    client: str
    pid: int
    born: int
    """The process's start, so that another one of the same number is not taken for it."""
    since: float
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    working: bool = False


@dataclass(frozen=True)
class Turns:
    """One kind of costly work."""

    name: str
    at_once: int
    """Turns on this machine."""
    each: int
    """Turns of one client."""
    waiting: int = 0
    """Requests that may wait."""
    waiting_each: int = 0
    """Of one client."""
    patience: float = 0.0
    """Seconds that a request waits at most."""
    longest: float = 3600.0
    """Seconds after which a turn counts no more."""

    @contextmanager
    def turn(self, client: str) -> Iterator[None]:
        """Have a turn for ``client`` while the block runs, waiting for one at most :attr:`patience` seconds.

        Raises :class:`BusyError`.
        """
        entry = _Entry(client, os.getpid(), _born(os.getpid()), time.time())
        try:
            self._enter(entry)
            until, pause = time.monotonic() + self.patience, _LOOK_SECONDS
            while not entry.working:
                if time.monotonic() >= until:
                    raise self._busy(client)
                time.sleep(pause)
                pause = min(_SLOWEST, _SLOWER * pause)
                self._look(entry)
            yield
        finally:
            self._leave(entry)

    def count(self, client: str | None = None) -> int:
        """Return how many turns are taken, by ``client`` or by all."""
        with self._entries() as entries:
            return sum(one.working and client in (None, one.client) for one in entries)

    def _enter(self, entry: _Entry) -> None:
        with self._entries() as entries:
            if self._is_next(entry, entries):
                entry.working = True
            else:
                waiting = [one.client for one in entries if not one.working]
                if waiting.count(entry.client) >= self.waiting_each or len(waiting) >= self.waiting:
                    raise self._busy(entry.client, entries)
            entries.append(entry)

    def _look(self, entry: _Entry) -> None:
        with self._entries() as entries:
            mine = next((one for one in entries if one.key == entry.key), None)
            if mine is None:  # somebody removed the file
                entries.append(entry)
                mine = entry
            if self._is_next(mine, entries):
                mine.working = entry.working = True

    def _leave(self, entry: _Entry) -> None:
        with self._entries() as entries:
            entries[:] = [one for one in entries if one.key != entry.key]

    def _is_next(self, entry: _Entry, entries: list[_Entry]) -> bool:
        working = [one.client for one in entries if one.working]
        if len(working) >= self.at_once or working.count(entry.client) >= self.each:
            return False
        able = [one for one in entries if not one.working and working.count(one.client) < self.each]
        first = min([*able, entry], key=lambda one: (working.count(one.client), one.since))
        return first.key == entry.key

    def _busy(self, client: str, entries: list[_Entry] | None = None) -> BusyError:
        if entries is None:
            with self._entries() as found:
                entries = found
        mine = sum(one.working for one in entries if one.client == client) >= self.each
        return BusyError(self.name, mine=mine, retry_after=max(1, round(self.patience) or 5))

    @contextmanager
    def _entries(self) -> Iterator[list[_Entry]]:
        """All that live, to be changed in the block."""
        folder = Path(settings.TURNS_DIR)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / f"{self.name}.json").open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            before = file.read()
            entries = self._living(_parsed(before))
            yield entries
            after = json.dumps([asdict(one) for one in entries])
            if after != before:
                file.seek(0)
                file.truncate()
                file.write(after)
                file.flush()

    def _living(self, entries: list[_Entry]) -> list[_Entry]:
        born = {pid: _born(pid) for pid in {one.pid for one in entries}}
        begun = time.time() - self.longest
        return [one for one in entries if one.since > begun and born[one.pid] == one.born]


def _parsed(text: str) -> list[_Entry]:
    try:
        found: list[dict[str, Any]] = json.loads(text or "[]")
        return [_Entry(**one) for one in found]
    except (ValueError, TypeError):  # cut off by a full disk
        return []


def _born(pid: int) -> int:
    """Return when a process started, in ticks since the machine did; 0 for none."""
    try:
        # "pid (name) state ppid …", where the name may contain anything
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0

"""Keeps processes running: starts them, starts again what died, and stops them all together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

_LOOK_SECONDS = 0.25
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_STEADY_SECONDS = 60.0
"""What ran so long has no history of failing any more."""
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)

Say = Callable[[str], None]


@dataclass
class Child:
    """One process to keep running."""

    name: str
    command: Sequence[str]
    folder: Path | None = None
    """Its working folder; ``None``: this process's."""
    ends: bool = False
    """Whether it may end well, and is then not started again."""
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = _FIRST_PAUSE
    due: float = field(default_factory=time.monotonic)
    """When it is to be started, on the monotonic clock."""

    def start(self) -> None:
        self.started = time.monotonic()
        # A session of its own: Ctrl-C reaches this process only, which then stops the others in order.
        self.process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(_tie_to, os.getpid()),
        )

    def look(self, say: Say) -> None:
        """Start it if that is due; notice its death."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.start()
        elif (code := self.process.poll()) is not None and not (self.ends and code == 0):
            if now - self.started > _STEADY_SECONDS:
                self.pause = _FIRST_PAUSE
            say(f"{self.name}: {_how_it_ended(code)}; starting it again in {self.pause:g} s")
            self.process = None
            self.due = now + self.pause
            self.pause = min(2 * self.pause, _LONGEST_PAUSE)

    def send(self, what: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(what)

    def wait(self, until: float) -> bool:
        """Whether it has ended by ``until``, on the monotonic clock."""
        try:
            if self.process is not None:
                self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True


def keep_running(children: Sequence[Child], *, grace: float, say: Say, look: Callable[[], None] = lambda: None) -> None:
    """Keep ``children`` running until SIGINT or SIGTERM, then end them: SIGTERM, and SIGKILL after ``grace`` seconds.

    ``look`` is called several times a second. A second signal ends the grace.
    """
    stop, hurry = threading.Event(), threading.Event()

    def asked(*_: object) -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked)
    while not stop.wait(_LOOK_SECONDS):
        for child in children:
            child.look(say)
        look()
    _end(children, grace=grace, hurry=hurry, say=say)


def _end(children: Sequence[Child], *, grace: float, hurry: threading.Event, say: Say) -> None:
    say("stopping")
    for child in children:
        child.send(signal.SIGTERM)
    until = time.monotonic() + grace
    while time.monotonic() < until and not hurry.is_set():
        if all(child.wait(time.monotonic() + _LOOK_SECONDS) for child in children):
            return
    for child in children:
        if not child.wait(time.monotonic()):
            say(f"{child.name}: did not stop in time; killed")
            child.send(signal.SIGKILL)
            child.wait(time.monotonic() + _LOOK_SECONDS)


def _tie_to(parent: int) -> None:
    """In the child, before its program: ask the kernel for SIGTERM should the supervisor be killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was, before the line above
        os.kill(os.getpid(), signal.SIGTERM)


def _how_it_ended(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

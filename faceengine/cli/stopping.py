"""A wish to stop: from a signal, or because nobody listens any more."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """While it is entered, the first SIGINT or SIGTERM makes :meth:`wanted` true, and a second SIGINT kills.

    Work asks :meth:`wanted` as its ``should_stop``.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._process = os.getpid()

    def wanted(self) -> bool:
        return self._event.is_set()

    def ask(self) -> None:
        """Ask to stop, as a signal would."""
        self._event.set()

    def __enter__(self) -> Self:
        # Python only lets the main thread have signal handlers; elsewhere, stopping is left to whoever called.
        here = threading.current_thread() is threading.main_thread()
        self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS} if here else {}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # Forked workers inherit the handler. Ctrl-C reaches them too, but it is their parent who ends them.
        if os.getpid() != self._process:
            if number == signal.SIGTERM:
                _die_of(number)
            return
        if number == signal.SIGINT and self._event.is_set():
            _die_of(number)
        self._event.set()
        if number == signal.SIGINT:
            # Not print: the signal may have come in the middle of a write to the same stream.
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"\nStopping; once more to stop at once.\n")


def _die_of(number: int) -> None:
    """End this process as the signal would have without a handler."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)

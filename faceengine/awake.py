"""Time as this process lives through it: next to none passes while the machine sleeps or the process is stopped.

Deadlines that mean "nothing has happened for so long" are measured by it. By any other clock everything is overdue at
once when a machine wakes, before anybody had a chance to do something.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path


def since_boot() -> float:
    """Return the seconds since the machine was started, sleep included; setting the clock does not change them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class AwakeClock:
    """Counts seconds from one call to the next, but never more than ``longest_step`` at once.

    Whoever waits for something asks it more often than that. For several threads.
    """

    def __init__(self, longest_step: float, now: Callable[[], float] = since_boot) -> None:
        self._longest, self._now = longest_step, now
        self._last, self._awake = now(), 0.0
        self._counting = threading.Lock()

    def __call__(self) -> float:
        """Return the seconds that have passed since the clock was made."""
        with self._counting:
            now = self._now()
            self._awake += min(now - self._last, self._longest)
            self._last = now
            return self._awake


def is_stopped(pid: int) -> bool:
    """Return whether that process of this machine was stopped by a signal and can be continued."""
    try:
        # "pid (name) state …", where the name may contain anything
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] in "Tt"
    except (OSError, IndexError):
        return False

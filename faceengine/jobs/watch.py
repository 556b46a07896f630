"""What goes on beside a body while it works: the lease is kept, people's wishes are heard, and hanging is noticed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import Error, connection

from faceengine.awake import AwakeClock, since_boot
from faceengine.jobs import disk, memory, transitions
from faceengine.jobs.models import Job
from faceengine.jobs.process import Process
from faceengine.jobs.states import Desired

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2
_LONGEST_STEP = 5.0
"""So much of a time in which nothing was looked at counts for what a body may take."""
_WISHES_SECONDS = 1.0
_MEASURE_SECONDS = 1.0
_DISK_SECONDS = 15.0


class Watch(threading.Thread):
    """Keeps one attempt's lease until :meth:`end`, and stops or kills its body when that is due.

    A database that is away ends nothing: the work goes on, and the lease is extended as soon as it answers again,
    unless the job has been given to another attempt meanwhile.
    """

    def __init__(self, job: Job, stopping: Callable[[], bool], silent_after: float, longest: float = 0.0) -> None:
        super().__init__(name="watch", daemon=True)
        self.fenced = threading.Event()
        """Set when the job is no longer this attempt's."""
        self.asked = False
        """Whether the body was asked to stop."""
        self.killed = False
        """Whether it was killed because it did not stop in time."""
        self.hung = False
        """Whether it was killed because nothing was heard of it for too long."""
        self.greedy = False
        """Whether it was killed because it took more memory than :attr:`memory_mb`."""
        self.late = False
        """Whether it was killed because it took more time than a job of its kind may."""
        self._run_dir: Path | None = None
        self._stored_at = since_boot()
        self.memory_mb = memory.limit_mb()
        self._longest = longest
        self._job_id, self._attempt = job.id, job.attempt
        self._stopping = stopping
        self._silent_after = silent_after
        self._process: Process | None = None
        self._desired = Desired.RUN
        self._clock = AwakeClock(_LONGEST_STEP)
        self._heard = self._asked_at = self._began = self._measured_at = self._clock()
        self._beat_at = self._looked_at = since_boot()
        self._answers = True
        self._ended = threading.Event()

    def over(self, process: Process, run_dir: Path | None) -> None:
        """Watch over that body, and over what it writes to ``run_dir``."""
        self._run_dir = run_dir
        self.heard()
        self._began = self._clock()
        self._process = process

    def heard(self) -> None:
        """There was news from the body."""
        self._heard = self._clock()

    def unwanted(self) -> bool:
        """Whether the work is to stop, or isn't this runner's any more."""
        return self.fenced.is_set() or self._desired != Desired.RUN or self._stopping()

    def gives_up(self) -> bool:
        """Whether it is time to go even though the ledger does not answer."""
        overdue = self.asked and self._clock() - self._asked_at > settings.JOBS_GRACE_SECONDS
        return self.fenced.is_set() or (overdue and self._stopping())

    def end(self) -> None:
        """Let go of the lease."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            try:
                self._look_at_ledger()
                self._look_at_disk()
                self._answers = True
            except Error as error:
                if self._answers:
                    log.warning("job %s: the database does not answer (%s); working on", self._job_id, error)
                self._answers = False
                connection.close()
            if self._process is not None and not self._process.ended():
                self._look_at_body(self._process)
        connection.close()

    def _look_at_ledger(self) -> None:
        now = since_boot()  # after a sleep the first thing is to be heard again
        if now - self._looked_at < _WISHES_SECONDS:
            return
        self._looked_at = now
        if now - self._beat_at >= settings.JOBS_HEARTBEAT_SECONDS:
            desired = transitions.beat(self._job_id, self._attempt)
            self._beat_at = now
        else:
            desired = transitions.wanted(self._job_id, self._attempt)
        if desired is None:
            self.fenced.set()
        else:
            self._desired = desired

    def _look_at_disk(self) -> None:
        now = since_boot()
        if self._run_dir is None or now - self._stored_at < _DISK_SECONDS:
            return
        self._stored_at = now
        if not transitions.measured(self._job_id, self._attempt, disk.bytes_in(self._run_dir)):
            self.fenced.set()

    def _look_at_body(self, process: Process) -> None:
        now = self._clock()
        if self.fenced.is_set():
            process.kill()
        elif self.asked:
            if now - self._asked_at > settings.JOBS_GRACE_SECONDS:
                self.killed = True
                process.kill()
        elif self.unwanted():
            self.asked, self._asked_at = True, now
            process.ask_to_stop()
        elif now - self._heard > self._silent_after:
            self.hung = True
            process.kill()
        elif self._longest and now - self._began > self._longest:
            self.late = True
            process.kill()
        if now - self._measured_at >= _MEASURE_SECONDS:
            self._measured_at = now
            self._measure(process)

    def _measure(self, process: Process) -> None:
        if memory.used_mb(process.group) > self.memory_mb:
            self.greedy = True
            process.kill()

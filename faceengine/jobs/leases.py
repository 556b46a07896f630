"""Which runners are gone: those whose leases one process has watched for a lease's length without seeing a heartbeat.

No clock is compared with another. A process that looks remembers since when it has seen a lease as it is, by the time
since its own machine's start. So clocks may jump and differ, and what slept may wake: after a gap between two looks,
in which heartbeats could not come or could not be seen, the watching begins again for all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from faceengine.awake import is_stopped, since_boot
from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from faceengine.jobs.states import State

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lease:
    """One attempt's lease as it was at a look. Each heartbeat makes it another."""

    job_id: UUID
    attempt: int
    until: datetime | None
    host: str
    slot: str
    pid: int


class Leases:
    """The leases as one process sees them. :meth:`expire` is called at every heartbeat of a slot."""

    def __init__(self, now: Callable[[], float] = since_boot) -> None:
        self._now = now
        self._seen: dict[Lease, float] = {}
        """When each was first seen as it is."""
        self._looked = now()

    def expire(self) -> int:
        """Take the jobs away from runners that were not heard of for a lease's length; return how many there were."""
        lost = 0
        for lease in self._overdue():
            text = f"{lease.host}/{lease.slot} was not heard of for {settings.JOBS_LEASE_SECONDS} s"
            lost += transitions.give_up(lease.job_id, lease.attempt, lease.until, text) is not None
        return lost

    def _overdue(self) -> list[Lease]:
        now = self._now()
        if now - self._looked > self._longest_gap:
            log.info(
                "nothing was looked at for %.0f s; every runner gets a lease's length to be heard", now - self._looked
            )
            self._seen = {}
        self._looked = now
        self._seen = {lease: self._seen.get(lease, now) for lease in _running()}
        return [
            lease
            for lease, since in self._seen.items()
            if now - since > settings.JOBS_LEASE_SECONDS and not _stands_still(lease)
        ]

    @property
    def _longest_gap(self) -> float:
        """Seconds between two looks that do not matter: a runner that lives is heard between the second and its end."""
        return max(2 * settings.JOBS_HEARTBEAT_SECONDS, settings.JOBS_LEASE_SECONDS / 2)


def _running() -> list[Lease]:
    running = Job.objects.filter(state=State.RUNNING).order_by("lease_until")
    names = ("id", "attempt", "lease_until", "slot__host", "slot__name", "slot__pid")
    return [
        Lease(job_id, attempt, until, host or "", name or "", pid or 0)
        for job_id, attempt, until, host, name, pid in running.values_list(*names)
    ]


def _stands_still(lease: Lease) -> bool:
    """Return whether its runner is a stopped process of this machine. Somebody has stopped it, and may continue it."""
    stopped = lease.host == settings.JOBS_HOST and is_stopped(lease.pid)
    if stopped:
        log.warning("job %s waits: its runner in %s/%s is stopped", lease.job_id, lease.host, lease.slot)
    return stopped

"""One reader per web process follows the ledger for all who watch.

Many watch one job, so its new events are read and made into text once. A watcher says how far it has come and gets
what follows: the text made for all if it is up to date, or else a page read for it alone. So one that has just
connected, one that was away and one that is slow are the same case, nobody waits for anybody, and nothing is held for
anybody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError, connection

from faceengine.jobs.live import bell, presence
from faceengine.jobs.live.events import Batch, batch_after
from faceengine.jobs.models import Job

log = logging.getLogger(__name__)
ParametersT = ParamSpec("ParametersT")
ResultT = TypeVar("ResultT")

POLL = 0.1
"""Seconds between two looks at the ledger while somebody watches."""
FALLBACK = 2.0
"""The same where Redis rings."""
GAP = 0.2
"""Seconds between two messages of one job: five a second, the last value wins."""
BREATH = 0.02
"""Seconds between a bell and a look at what it was about."""
RETRY = 1.0
"""Seconds before the next look at a database that is away."""


class Feed:
    """One watched job: how far its events have been told, and the last message."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.batch: Batch | None = None
        self.told_at = 0.0
        self.watchers = 0
        self.moved = asyncio.Event()

    def tell(self, batch: Batch) -> None:
        self.last, self.batch, self.told_at = batch.last, batch, time.monotonic()
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()


class Tail:
    """Follows the jobs that are watched; does nothing while none is."""

    def __init__(self) -> None:
        self._feeds: dict[UUID, Feed] = {}
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def watch(self, job_id: UUID, last: int) -> Iterator[None]:
        """While inside, the job is followed. ``last``: its ``last_seq`` as just read."""
        feed = self._feeds.setdefault(job_id, Feed(last))
        feed.watchers += 1
        if self._task is None or self._task.done():
            self._reader = ThreadPoolExecutor(1, "tail")
            self._task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            feed.watchers -= 1
            if not feed.watchers:
                del self._feeds[job_id]
                self._due.set()

    async def after(self, job_id: UUID, seq: int) -> Batch:
        """The events that follow ``seq``, as soon as there are any. Only inside :meth:`watch`."""
        feed = self._feeds[job_id]
        while True:
            if feed.batch and feed.batch.after == seq:
                return feed.batch
            # No further than has been told to all, or else those who come late would never be in step with the rest.
            if feed.last > seq and (page := await self._read(batch_after, job_id, seq, feed.last)):
                return page
            await feed.moved.wait()

    async def _run(self) -> None:
        bells = asyncio.create_task(bell.listen(self._hear)) if settings.REDIS_URL else None
        try:
            while self._feeds:
                held = await self._look()
                await self._sleep(FALLBACK if bells and not held else POLL)
        finally:
            if bells:
                bells.cancel()
            # The connection belongs to the thread, so it is closed there.
            self._reader.submit(connection.close)
            self._reader.shutdown(wait=False)

    async def _look(self) -> bool:
        """Tell what is new; whether something was held back because its job has just told something."""
        lasts = await self._read(_lasts, list(self._feeds))
        behind = [job_id for job_id, last in lasts.items() if job_id in self._feeds and last > self._feeds[job_id].last]
        now = time.monotonic()
        ready = [job_id for job_id in behind if now - self._feeds[job_id].told_at >= GAP]
        for job_id in ready:
            if (feed := self._feeds.get(job_id)) and (
                batch := await self._read(batch_after, job_id, feed.last, lasts[job_id])
            ):
                feed.tell(batch)
        return len(ready) < len(behind)

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._due.wait(), seconds)
        except TimeoutError:
            return
        # Bells come in bursts.
        await asyncio.sleep(BREATH)
        self._due.clear()

    def _hear(self, what: str, key: str) -> None:
        if what != "job":
            presence.hear(what, key)
        elif UUID(key) in self._feeds:
            self._due.set()

    async def _read(
        self, query: Callable[ParametersT, ResultT], *args: ParametersT.args, **kwargs: ParametersT.kwargs
    ) -> ResultT:
        """``query(...)`` in the reader's thread, again and again while the database is away."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(self._reader, lambda: query(*args, **kwargs))
            except DatabaseError as error:
                log.warning("live progress can't read the database (%s); next try in %.0f s", error, RETRY)
                self._reader.submit(connection.close)
            await asyncio.sleep(RETRY)


def _lasts(job_ids: Iterable[UUID]) -> dict[UUID, int]:
    return dict(Job.objects.filter(pk__in=job_ids).values_list("pk", "last_seq"))


_TAILS: WeakKeyDictionary[asyncio.AbstractEventLoop, Tail] = WeakKeyDictionary()


def tail() -> Tail:
    """The running event loop's tail."""
    loop = asyncio.get_running_loop()
    if loop not in _TAILS:
        _TAILS[loop] = Tail()
    return _TAILS[loop]

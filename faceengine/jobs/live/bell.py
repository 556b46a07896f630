"""Doorbells between processes, through Redis where ``REDIS_URL`` is set and not at all otherwise.

A bell carries no news, only where to look. Nothing is lost when one is: the web process polls as well.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings

log = logging.getLogger(__name__)

CHANNEL = "faceengine.jobs"
_LONGEST_PAUSE = 10.0


def announce(job_id: UUID, last_seq: int) -> None:
    """The job has events up to ``last_seq``. Called after the commit that stored them; never raises."""
    ring("job", str(job_id), last_seq=last_seq)


def ring(what: str, key: str, **more: Any) -> None:
    """Ring at every web process: ``what`` (``job``, ``user``, ``session``) and the ``key`` of the one that changed."""
    if not settings.REDIS_URL:
        return
    from redis.exceptions import RedisError

    try:
        _client().publish(CHANNEL, json.dumps({"what": what, "key": key, **more}))
    except RedisError as error:
        log.warning("Redis can't be told of %s %s: %s", what, key, error)


async def listen(heard: Callable[[str, str], None]) -> None:
    """Call ``heard(what, key)`` for every bell, until cancelled; a Redis that is away is tried again and again."""
    from redis.asyncio import from_url
    from redis.exceptions import RedisError

    pause = 0.5
    while True:
        try:
            # redis-py 8 ends a read that waits for 5 s unless told otherwise; a quiet night isn't an error.
            async with from_url(settings.REDIS_URL, socket_timeout=None) as client, client.pubsub() as bells:
                await bells.subscribe(CHANNEL)
                async for message in bells.listen():
                    pause = 0.5
                    if message["type"] == "message":
                        bell = json.loads(message["data"])
                        heard(bell["what"], bell["key"])
        except (RedisError, OSError) as error:
            log.warning("Redis doesn't ring (%s); polling, next try in %.1f s", error, pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


@cache
def _client() -> Any:
    from redis import Redis

    # A runner must not wait for a bell.
    return Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)

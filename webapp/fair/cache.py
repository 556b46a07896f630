"""Django's cache in Redis, which counts on by itself while Redis is away: nobody is shut out because a counter is."""

from __future__ import annotations

import logging
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class SharedCache(RedisCache):
    """As Redis has it, or this process alone where Redis does not answer."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._own = LocMemCache("beside-redis", {})

    def add(self, *arguments: Any, **named: Any) -> bool:
        return bool(self._either("add", *arguments, **named))

    def get(self, *arguments: Any, **named: Any) -> Any:
        return self._either("get", *arguments, **named)

    def set(self, *arguments: Any, **named: Any) -> None:
        self._either("set", *arguments, **named)

    def incr(self, *arguments: Any, **named: Any) -> int:
        return int(self._either("incr", *arguments, **named))

    def delete(self, *arguments: Any, **named: Any) -> bool:
        return bool(self._either("delete", *arguments, **named))

    def clear(self) -> None:
        self._either("clear")

    def _either(self, name: str, *arguments: Any, **named: Any) -> Any:
        try:
            return getattr(super(), name)(*arguments, **named)
        except RedisError as error:
            log.warning("Redis does not answer (%s); limits are counted per process", error)
            return getattr(self._own, name)(*arguments, **named)

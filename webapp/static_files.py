"""Style sheets and scripts, sent by the web process itself."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise that doesn't need a thread to wait in.

    Its own middleware is synchronous: under ASGI a thread waits in it for all that comes after. When a browser goes
    away before it has its answer, nobody may ever wake that thread: the server can't even end.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Any, *settings: Any) -> None:
        super().__init__(get_response, *settings)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        # What comes next is only called where no file is found; so what it answers is passed on, be it awaited or not.
        answer: HttpResponseBase | Awaitable[HttpResponseBase] = super().__call__(request)
        return _at_once(answer) if iscoroutinefunction(self) and isinstance(answer, HttpResponseBase) else answer


async def _at_once(answer: HttpResponseBase) -> HttpResponseBase:
    return answer

"""The WebSocket of a job: ``/ws/jobs/<id>/?after=SEQ`` sends every event after SEQ, then each new one as it happens.

It sends JSON arrays of events and takes nothing. It may close with a reason of its own (:class:`Close`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from enum import IntEnum
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.http.cookie import parse_cookie

from faceengine.jobs.access import may_watch
from faceengine.jobs.live import presence
from faceengine.jobs.live.tail import tail
from faceengine.jobs.models import Job

log = logging.getLogger(__name__)

RECHECK = 60.0
"""Seconds between two looks whether the person may still watch."""


class Close(IntEnum):
    """Why the server closed a socket. After a code below 4000 the browser comes back.

    An application may use 3000 to 4999; Autobahn, under Daphne, refuses all others but 1000.
    """

    DEFECT = 3011
    SIGNED_OUT = 4401
    FORBIDDEN = 4403
    UNKNOWN = 4404
    TALKED = 4400
    """The browser sent something."""


class RefusedError(Exception):
    """Nobody may watch like that."""

    def __init__(self, close: Close) -> None:
        super().__init__(close.name)
        self.close = close


class JobConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One person watching one job."""

    user_id: Any = None
    session_key = ""

    async def __call__(self, scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        self.loop = asyncio.get_running_loop()
        self._again = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()

    async def connect(self) -> None:
        # A code can be sent only to who was let in; one turned away at the door just sees a lost line.
        await self.accept()
        self.session_key = _cookie(self.scope, settings.SESSION_COOKIE_NAME)
        self.job_id: UUID = self.scope["url_route"]["kwargs"]["job_id"]
        # Before it is asked, so that what changes meanwhile is heard of.
        presence.enter(self)
        try:
            self.user_id, last = await self._admit()
        except RefusedError as refused:
            await self.close(refused.close)
            return
        self._start(self._follow(min(_after(self.scope), last), last))
        self._start(self._guard())

    async def disconnect(self, code: int) -> None:  # noqa: ARG002 - as Channels calls it
        self._leave()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:  # noqa: ARG002
        await self.close(Close.TALKED)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Say why, once. Autobahn takes no enumeration for a number."""
        if not self._closed:
            self._closed = True
            await super().close(int(code or Close.DEFECT), reason)

    def recheck(self) -> None:
        self._again.set()

    def sign_out(self) -> None:
        self._start(self.close(Close.SIGNED_OUT))

    async def _follow(self, seq: int, last: int) -> None:
        """Send what comes after ``seq``, for as long as the socket is open."""
        with tail().watch(self.job_id, last):
            while True:
                batch = await tail().after(self.job_id, seq)
                await self.send(text_data=batch.text)
                seq = batch.last

    async def _guard(self) -> None:
        """Close the socket of a person who may no longer watch."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._again.wait(), RECHECK)
            self._again.clear()
            try:
                await self._admit()
            except RefusedError as refused:
                await self.close(refused.close)
                return

    async def _admit(self) -> tuple[Any, int]:
        admitted: tuple[Any, int] = await database_sync_to_async(admit)(self.session_key, self.job_id)
        return admitted

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.error("the socket of job %s failed", self.job_id, exc_info=error)
            self._start(self.close(Close.DEFECT))

    def _leave(self) -> None:
        presence.leave(self)
        for task in self._tasks:
            task.cancel()


class NoSuchSocket(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Every other address."""

    async def connect(self) -> None:
        await self.close()


def admit(session_key: str, job_id: UUID) -> tuple[Any, int]:
    """The id of the user whose session it is, and the job's ``last_seq``. Raises :class:`RefusedError`."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    # Reads the session afresh, so that one that ended, or whose password was changed since, is nobody's.
    user = get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]
    if not user.is_authenticated:
        raise RefusedError(Close.SIGNED_OUT)
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise RefusedError(Close.UNKNOWN)
    if not may_watch(user, job):
        raise RefusedError(Close.FORBIDDEN)
    return user.pk, job.last_seq


def _cookie(scope: dict[str, Any], name: str) -> str:
    header = dict(scope["headers"]).get(b"cookie", b"")
    value = str(parse_cookie(header.decode("latin-1")).get(name, ""))
    return "" if "\0" in value else value  # no session's key has one, and PostgreSQL takes none


def _after(scope: dict[str, Any]) -> int:
    """``?after=``; 0 for anything that is no number."""
    text = parse_qs(scope["query_string"].decode("latin-1")).get("after", ["0"])[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0

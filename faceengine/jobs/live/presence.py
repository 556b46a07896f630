"""The sockets that are open in this process, so that they can be told when a person may no longer watch."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from typing import Any, Protocol

from django.db.transaction import on_commit

from faceengine.jobs.live import bell


class Socket(Protocol):
    """An open WebSocket of a person."""

    loop: AbstractEventLoop
    user_id: Any
    """``None`` while it is being found out."""
    session_key: str

    def recheck(self) -> None:
        """Ask again whether the person may watch."""

    def sign_out(self) -> None:
        """End: the session is over."""


_OPEN: set[Socket] = set()


def enter(socket: Socket) -> None:
    """Keep ``socket`` until it leaves."""
    _OPEN.add(socket)


def leave(socket: Socket) -> None:
    """Forget ``socket``."""
    _OPEN.discard(socket)


def recheck(user_id: Any) -> None:
    """What the user may see has changed: their open sockets ask again, in every process, once that is committed."""

    def tell() -> None:
        hear("user", str(user_id))
        bell.ring("user", str(user_id))

    on_commit(tell)


def signed_out(session_key: str) -> None:
    """The session has ended: its open sockets end, in every process."""
    hear("session", session_key)
    bell.ring("session", session_key)


def hear(what: str, key: str) -> None:
    """Pass on a bell about a ``user`` or a ``session`` to whom it concerns. May be called in any thread."""
    for socket in tuple(_OPEN):
        if what == "user" and (socket.user_id is None or str(socket.user_id) == key):
            socket.loop.call_soon_threadsafe(socket.recheck)
        elif what == "session" and socket.session_key == key:
            socket.loop.call_soon_threadsafe(socket.sign_out)

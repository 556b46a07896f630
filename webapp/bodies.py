"""How long a request may be, and how slowly it may come, asked before it has arrived.

Daphne takes a body of any length, from anybody, and then has all of it in memory; and for one that comes a byte at a
time it waits as long as that takes. It has no setting against either, so its requests are given limits here.
"""

from __future__ import annotations

import time
from typing import Any

from daphne import http_protocol

_TOO_LONG, _TOO_SLOW = b"413 Content Too Large", b"408 Request Timeout"
_LOOK_SECONDS = 1.0
_PIECE = 256 << 10


class LimitedRequest(http_protocol.WebRequest):  # type: ignore[misc]
    """A request that is refused, and its connection closed, as soon as it is or says to be too long."""

    longest = 0
    """Bytes; 0: no limit."""
    slowest = 0
    """Bytes a second, on the whole, after the first :attr:`patience` seconds; 0: no limit."""
    patience = 0.0
    _come = 0
    _refused = False

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._began = time.monotonic()
        self._looking: Any = self._later()

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        too_long = bool(self.longest and length and length > self.longest)
        super().gotLength(0 if too_long else length)
        if too_long:
            self._refuse(_TOO_LONG)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        self._come += len(data)
        if self._refused:
            return
        if self.longest and self._come > self.longest:
            self._refuse(_TOO_LONG)
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        self._stop_looking()
        # Daphne would hand a part of an upload over in 2,048 pieces of 8 KiB, each waiting for its turn.
        self.server.request_buffer_size = _PIECE
        return None if self._refused else super().process()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self._stop_looking()
        super().connectionLost(reason)

    def _look(self) -> None:
        """Once a second until all of it has come: whether it comes at all."""
        late = time.monotonic() - self._began - self.patience
        if self.slowest and self._come < late * self.slowest:
            self._refuse(_TOO_SLOW)
        else:
            self._looking = self._later()

    def _later(self) -> Any:
        from twisted.internet import reactor  # the one that Daphne has chosen by now

        clock: Any = reactor
        return clock.callLater(_LOOK_SECONDS, self._look)

    def _stop_looking(self) -> None:
        if self._looking.active():
            self._looking.cancel()

    def _refuse(self, why: bytes) -> None:
        self._refused = True
        self._stop_looking()
        if self.content is not None:
            self.content.truncate(0)
        self.channel.transport.write(b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % why)
        self.channel.loseConnection()


def limit(longest: int, slowest: int, patience: float) -> None:
    """Have Daphne refuse every request that has more than ``longest`` bytes, or that comes slower than ``slowest``
    bytes a second after its first ``patience`` seconds."""
    LimitedRequest.longest, LimitedRequest.slowest, LimitedRequest.patience = longest, slowest, patience
    http_protocol.WebRequest = LimitedRequest

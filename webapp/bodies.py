"""How long a request may be, asked before it has arrived.

Daphne takes a body of any length, from anybody, and then has all of it in memory. It has no setting against that, so
its requests are given a limit here.
"""

from __future__ import annotations

from typing import Any

from daphne import http_protocol

_ANSWER = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class LimitedRequest(http_protocol.WebRequest):  # type: ignore[misc]
    """A request that is refused, and its connection closed, as soon as it is or says to be too long."""

    longest = 0
    """Bytes; 0: no limit."""
    _come = 0
    _refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        too_long = bool(self.longest and length and length > self.longest)
        super().gotLength(0 if too_long else length)
        if too_long:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        self._come += len(data)
        if self._refused:
            return
        if self.longest and self._come > self.longest:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        return None if self._refused else super().process()

    def _refuse(self) -> None:
        self._refused = True
        self.content.truncate(0)
        self.channel.transport.write(_ANSWER)
        self.channel.loseConnection()


def limit(longest: int) -> None:
    """Have Daphne refuse every request whose body has more than ``longest`` bytes."""
    LimitedRequest.longest = longest
    http_protocol.WebRequest = LimitedRequest

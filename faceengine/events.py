"""What a running piece of work tells the world: frozen dataclasses, one JSON line each.

The command line prints them with ``--json``; a worker stores the same lines. There is no other path.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """How far a stage is: ``done`` of ``total`` (``None`` while unknown) in ``unit``, at ``rate`` a second."""

    stage: str
    done: int
    total: int | None = None
    unit: str = "frames"
    rate: float | None = None


@dataclass(frozen=True)
class Losses:
    """Mean of every loss since the last such event, by name (``a.reconstruction`` …)."""

    iteration: int
    values: dict[str, float]
    images_per_second: float


@dataclass(frozen=True)
class Preview:
    """A preview picture was kept; ``path`` is relative to the run folder."""

    iteration: int
    path: str


@dataclass(frozen=True)
class Checkpoint:
    """What was reached is durable on disk; ``path`` is relative to the run folder.

    ``iteration`` counts what the stage counts: training its iterations, extraction the frames it has read.
    """

    iteration: int
    path: str


@dataclass(frozen=True)
class Message:
    """Something a person should know. ``code`` is stable, ``text`` is English, ``level`` info or warning."""

    level: str
    code: str
    text: str


Event = Progress | Losses | Preview | Checkpoint | Message
OnEvent = Callable[[Event], None]
ShouldStop = Callable[[], bool]

_KINDS: dict[str, type] = {kind.__name__.lower(): kind for kind in (Progress, Losses, Preview, Checkpoint, Message)}


def ignore(event: Event) -> None:
    """An ``on_event`` that drops everything."""


def never() -> bool:
    """A ``should_stop`` that never asks to stop."""
    return False


def to_json(event: Event) -> str:
    """One JSON line (without the newline): the event's kind under ``event``, then its fields."""
    return json.dumps({"event": type(event).__name__.lower(), **dataclasses.asdict(event)}, ensure_ascii=False)


def from_json(line: str) -> Event:
    """The inverse of :func:`to_json`. Raises ``ValueError`` for a line that is no event."""
    try:
        fields: dict[str, Any] = json.loads(line)
        event: Event = _KINDS[fields.pop("event")](**fields)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {line[:200]}") from error
    return event

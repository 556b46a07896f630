"""Events as they happen: JSON lines for programs, bars or plain lines for people."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from faceengine.events import Event, Losses, Message, OnEvent, Progress, to_json

_LINE_EVERY = 10.0


@contextmanager
def shown(as_json: bool, on_gone: Callable[[], None]) -> Iterator[OnEvent]:
    """The ``on_event`` of a command. ``on_gone`` is called when the reader of the JSON lines is gone."""
    if as_json:
        yield JsonLines(on_gone)
    elif sys.stderr.isatty():
        bars = Bars()
        try:
            yield bars
        finally:
            bars.close()
    else:
        yield Lines()


class JsonLines:
    """One event a line on stdout, at once."""

    def __init__(self, on_gone: Callable[[], None]) -> None:
        self._on_gone = on_gone

    def __call__(self, event: Event) -> None:
        try:
            print(to_json(event), flush=True)
        except BrokenPipeError:
            self._on_gone()


class Bars:
    """A progress bar a stage on stderr, with messages above it."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._bar: tqdm[None] | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, Message):
            tqdm.write(_message(event), file=sys.stderr)
        elif isinstance(event, Losses) and self._bar is not None:
            self._bar.set_postfix_str(_losses(event), refresh=False)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _progress(self, event: Progress) -> None:
        if self._bar is None or event.stage != self._stage:
            self.close()
            self._stage = event.stage
            self._bar = tqdm(
                desc=event.stage,
                total=event.total,
                unit=f" {event.unit}",
                initial=event.done,
                file=sys.stderr,
                dynamic_ncols=True,
            )
        self._bar.total = event.total
        self._bar.update(event.done - self._bar.n)


class Lines:
    """For a log: messages, and where each stage is at its start, every ten seconds, and at its end."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._last = 0.0
        self._losses = ""

    def __call__(self, event: Event) -> None:
        if isinstance(event, Message):
            self._print(_message(event))
        elif isinstance(event, Losses):
            self._losses = "   " + _losses(event)
        elif isinstance(event, Progress) and self._is_due(event):
            total = "" if event.total is None else f" of {event.total}"
            rate = "" if event.rate is None else f"   {event.rate:.3g}/s"
            self._print(f"{event.stage}: {event.done}{total} {event.unit}{rate}{self._losses}")

    def _is_due(self, event: Progress) -> bool:
        now = time.monotonic()
        due = event.stage != self._stage or now - self._last >= _LINE_EVERY or event.done == event.total
        if due:
            self._stage, self._last = event.stage, now
        return due

    @staticmethod
    def _print(text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def _message(event: Message) -> str:
    return f"{event.level}: {event.text}" if event.level != "info" else event.text


def _losses(event: Losses) -> str:
    """Both directions' reconstruction, the one number that says how far training is."""
    parts = [
        f"{side.upper()} {event.values[key]:.3f}" for side in "ab" if (key := f"{side}.reconstruction") in event.values
    ]
    return " ".join([*parts, f"{event.images_per_second:.1f} images/s"])

"""Two things at once without growing: an iterator worked ahead of by a thread, a few items at most."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")

_WAIT = 0.1


@contextmanager
def ahead(items: Iterable[T], depth: int) -> Iterator[Iterator[T]]:
    """Run ``items`` in a thread, at most ``depth`` items before the reader, who meets its error at the same place.

    Leaving the context stops the thread, also when the reader stopped half-way.
    """
    waiting: queue.Queue[tuple[list[T], BaseException | None]] = queue.Queue(depth)
    left = threading.Event()

    def put(found: list[T], error: BaseException | None = None) -> None:
        while not left.is_set():
            try:
                waiting.put((found, error), timeout=_WAIT)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put([item])
                if left.is_set():
                    return
            put([])
        except BaseException as error:  # the reader raises it again
            put([], error)

    def read() -> Iterator[T]:
        while True:
            found, error = waiting.get()
            if error is not None:
                raise error
            if not found:
                return
            yield found[0]

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        yield read()
    finally:
        left.set()
        thread.join()
        if isinstance(items, Generator):
            items.close()  # what it works ahead of in turn must end as well


@contextmanager
def sharing_processors() -> Iterator[None]:
    """Let torch use half the processors in each thread, for two threads that both run networks.

    Every thread brings its own pool, and pools that together outnumber the processors spin against each other:
    measured on two, that made the small nets of face finding fifteen times slower.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, (os.cpu_count() or 1) // 2)))
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Steps that run side by side, each in its thread, with a few items between them: at once, without growing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


_END = object()
_WAIT = 0.1


class Stage(Generic[T]):
    """``items``, taken in a thread of their own, in order, at most ``ahead`` before whoever reads them.

    An exception of the thread is raised where its results are read. Decoding, OpenCV and torch release Python's lock,
    so stages overlap; nothing is copied between them.
    """

    def __init__(self, items: Iterable[T], ahead: int = 8) -> None:
        self._results: queue.Queue[object] = queue.Queue(ahead)
        self._halted = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(items,), name="stage", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while not self._halted.is_set():
            try:
                result = self._results.get(timeout=_WAIT)
            except queue.Empty:
                continue
            if result is _END:
                return
            if isinstance(result, _Failed):
                raise result.error
            yield result  # type: ignore[misc]  # what is neither is a T

    def halt(self) -> None:
        """Ask the thread, and whoever reads from it, to end soon."""
        self._halted.set()

    def join(self) -> None:
        self._thread.join()

    def _run(self, items: Iterable[T]) -> None:
        try:
            for item in items:
                if not self._put(item):
                    break
        except BaseException as error:
            self._put(_Failed(error))
        else:
            self._put(_END)
        finally:
            close = getattr(items, "close", None)
            if close:
                close()

    def _put(self, result: object) -> bool:
        while not self._halted.is_set():
            try:
                self._results.put(result, timeout=_WAIT)
                return True
            except queue.Full:
                continue
        return False


@contextmanager
def stages(*chain: Stage[Any]) -> Iterator[None]:
    """At the end, whatever the end is, all threads of the chain have ended."""
    try:
        yield
    finally:
        for stage in chain:
            stage.halt()
        for stage in chain:
            stage.join()


@contextmanager
def ahead(items: Iterable[T], depth: int) -> Iterator[Iterator[T]]:
    """A chain of one stage, to read from. Leaving the context ends it, also when the reader stopped half-way."""
    stage = Stage(items, depth)
    with stages(stage):
        yield iter(stage)


def batches(items: Iterable[T], size: int, begins: Callable[[T], bool] = lambda _: False) -> Iterator[list[T]]:
    """The items in lists of ``size``; the last one, and one before an item that ``begins`` a new list, are shorter."""
    batch: list[T] = []
    for item in items:
        if batch and begins(item):
            yield batch
            batch = []
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch

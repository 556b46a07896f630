"""Steps that run side by side, each in its thread, with a few items between them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


_END = object()


class Stage(Generic[Out]):
    """Runs ``work`` over ``items`` in a thread of its own, in order, at most ``ahead`` results before its reader.

    An exception of the thread is raised where its results are read. Decoding, OpenCV and torch release Python's lock,
    so stages overlap; nothing is copied between them.
    """

    def __init__(self, items: Iterable[In], work: Callable[[In], Out], ahead: int = 8) -> None:
        self._results: queue.Queue[object] = queue.Queue(ahead)
        self._halted = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(items, work), daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Out]:
        while True:
            result = self._results.get()
            if result is _END:
                return
            if isinstance(result, _Failed):
                raise result.error
            yield result  # type: ignore[misc]  # what is neither is an Out

    def halt(self) -> None:
        """Ask the thread to end soon, and wake whoever reads from it."""
        self._halted.set()
        self._put(_END, patient=False)

    def join(self) -> None:
        self._thread.join()

    def _run(self, items: Iterable[In], work: Callable[[In], Out]) -> None:
        try:
            for item in items:
                if not self._put(work(item)):
                    break
        except BaseException as error:
            self._put(_Failed(error))
        else:
            self._put(_END)
        finally:
            close = getattr(items, "close", None)
            if close:
                close()

    def _put(self, result: object, patient: bool = True) -> bool:
        while not (self._halted.is_set() and patient):
            try:
                self._results.put(result, timeout=0.1 if patient else 0)
                return True
            except queue.Full:
                if not patient:
                    return False
        return False


@contextmanager
def stages(*chain: Stage[Out]) -> Iterator[Stage[Out]]:
    """The last stage of a chain; at the end, whatever the end is, all threads have ended."""
    try:
        yield chain[-1]
    finally:
        for stage in chain:
            stage.halt()
        for stage in chain:
            stage.join()

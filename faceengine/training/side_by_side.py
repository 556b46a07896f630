"""Work on both people at once: on a CPU each person in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from faceengine.networks.model import PERSONS

T = TypeVar("T")


class SideBySide:
    """Calls a function for A and for B. On a CPU with two or more threads, both calls run at the same time.

    Two threads that each do whole layers get further than two that share every layer: nobody waits for the other at
    the end of each operation. It matters most on a busy machine, where oneDNN's threads spin while the one they wait
    for is off the processor (``docs/performance.md``). Gradients of what both share are sums of two terms, which do
    not depend on the order: equal runs stay equal to the bit.
    """

    def __init__(self, device: torch.device) -> None:
        threads = torch.get_num_threads()
        self._pool: ThreadPoolExecutor | None = None
        if device.type == "cpu" and threads >= 2:
            self._pool = ThreadPoolExecutor(2, "person", torch.set_num_threads, (threads // 2,))

    def __call__(self, work: Callable[[str], T]) -> dict[str, T]:
        """``{"a": work("a"), "b": work("b")}``."""
        if self._pool is None:
            return {person: work(person) for person in PERSONS}
        futures = {person: self._pool.submit(work, person) for person in PERSONS}
        return {person: future.result() for person, future in futures.items()}

"""Stages of an extraction: in order, errors where they are read, no thread left."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from faceengine.pipeline import Stage, batches, stages


def test_items_come_through_a_chain_in_order() -> None:
    first = Stage(range(100), ahead=2)
    second = Stage((number * 2 for number in first), ahead=3)
    with stages(first, second):
        assert list(second) == list(range(0, 200, 2))


def test_an_error_is_raised_where_its_results_are_read() -> None:
    first = Stage(1 / number for number in (2, 1, 0))
    second = Stage(first)
    with stages(first, second):
        assert [next(iter(second)) for _ in range(2)] == [0.5, 1.0]
        with pytest.raises(ZeroDivisionError):
            next(iter(second))


def test_a_chain_that_is_left_ends_its_threads_and_its_source() -> None:
    """Also when a stage waits for more than the one before it may hold."""
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            closed.set()

    before = threading.active_count()
    first = Stage(endless(), ahead=2)
    second = Stage(batches(first, 50))
    with stages(first, second):
        assert next(iter(second)) == list(range(50))
    assert closed.is_set()
    assert threading.active_count() == before


def test_batches_hold_everything() -> None:
    assert list(batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batches([], 3)) == []

"""What the jobs' tests share: slots, kinds that do what a test wants, and jobs of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from faceengine.jobs import runner, transitions
from faceengine.jobs.models import Job, Slot
from tests.jobs import stages
from tests.jobs.backends import server, stack  # noqa: F401 - fixtures


@pytest.fixture
def act() -> Iterator[None]:
    """The kinds ``act`` and ``acts``."""
    with stages.registered():
        yield


@pytest.fixture
def slot(db: None) -> Slot:
    return make_slot()


def make_slot(name: str = "gpu0", **fields: Any) -> Slot:
    return Slot.objects.create(host="here", name=name, kind=name.rstrip("0123456789"), pid=os.getpid(), **fields)


def submit(kind: str = "act", **config: Any) -> Job:
    """A job of a test's kind; names that its config does not know are ``submit``'s own."""
    own = {name: config.pop(name) for name in list(config) if name in ("priority", "owner", "title", "slot_kind")}
    return transitions.submit(kind, config, **own)


def run_next(slot: Slot, stopping: Callable[[], bool] = lambda: False) -> Job:
    """Run one job in this process, and see what became of it."""
    job = runner.run_next(slot, stopping=stopping)
    assert job is not None, "there is nothing to do"
    job.refresh_from_db()
    return job


def wait_for(what: Callable[[], Any], within: float = 10.0) -> Any:
    """What ``what()`` gives, once that is true."""
    until = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < until, f"not within {within:g} s"
        time.sleep(0.02)
    return found

"""What all tests share: a signer's private chain that is nobody's, and tables that may be emptied between tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management.commands import flush

_DATA = tempfile.TemporaryDirectory(prefix="signing-")
os.environ["XDG_DATA_HOME"] = _DATA.name
# Nothing that a test starts may ask the network for weights.
os.environ["FETCH_WEIGHTS"] = "0"


_LONGEST = (
    *("e2e/test_whole_way.py", "jobs/test_end_to_end.py", "jobs/test_up_demo.py", "jobs/test_worker.py"),
    *("web/test_consent_everywhere.py", "jobs/test_parts_and_ranks.py", "web/test_never_500.py"),
)
"""Files that take minutes each."""

_emptied = flush.sql_flush


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest files first: a process that starts one last lets the other wait for it."""
    first = {Path(__file__).parent / name: number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: first.get(item.path, len(first)))


def _with_the_trail(style: Any, connection: Any, **options: Any) -> list[str]:
    """The rules of audit trail and consent let nobody empty their tables; ``migrate`` and this make them anew."""
    from webapp.consent import triggers as gate
    from webapp.projects import triggers

    rules = triggers.rules(connection.vendor).items()
    gone = [statement for name, rule in rules for statement in triggers.removed(connection.vendor, name, rule[0])]
    for name, rule in gate.rules(connection.vendor).items():
        gone += gate.removed(connection.vendor, name, rule[0])
    return gone + list(_emptied(style, connection, **options))


flush.sql_flush = _with_the_trail


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    """Nobody has been somewhere too often because of the test before."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture(autouse=True)
def no_kinds_left_behind() -> Iterator[None]:
    """What a test registers goes with it: another one walks all kinds of jobs that there are."""
    from faceengine.jobs import kinds

    before = dict(kinds._KINDS)
    yield
    kinds._KINDS.clear()
    kinds._KINDS.update(before)

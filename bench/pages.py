"""``python -m bench.pages [--write FILE]``: every page of a studio in which a lot has been done, by time and queries.

50 projects, one with 5,000 crops, 20 runs with a conversion and a score each, 30 queued jobs. Every address that has
a GET is asked for by its owner; what counts is the server's time from the request to the answer's last byte, the median
of nine. Pages are found by walking the addresses, so that none is left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.__main__ import between, machine
from bench.jobs import Figure, table
from bench.jobs_studio import open_studio
from faceengine.files import replace_file

if TYPE_CHECKING:
    from django.test import Client

BEGIN, END = "<!-- bench-pages: begin -->", "<!-- bench-pages: end -->"
SIZE = {"projects": 50, "crops": 5_000, "runs": 20}
TIMES = 9
MOST_MS = 150.0


def measure() -> list[Figure]:
    """Each page's median and queries, the slowest first."""
    open_studio()
    from django.test import Client

    from tests.web.large import addresses, build
    from tests.web.test_every_page import allowed
    from webapp.accounts.models import User

    large = build(**SIZE)
    member, staff = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    member.force_login(large.owner)
    staff.force_login(User.objects.create_user("staff@example.org", is_staff=True))
    rows = []
    for name, address in addresses(large)[0].items():
        browser = staff if name.startswith("operations:") else member
        if _answer(browser, address).status_code in (200, 302):
            rows.append((_milliseconds(browser, address), _queries(browser, address), name))
    figures = []
    for spent, queries, name in sorted(rows, reverse=True):
        most = allowed(name)
        reached = spent <= MOST_MS and queries <= most
        target = f"≤ {MOST_MS:.0f} ms, ≤ {most} queries"
        figures.append(Figure(f"`{name}`", f"{spent:.0f} ms, {queries} queries", target, reached))
    return figures


def _answer(browser: Client, address: str) -> Any:
    """What the page says to somebody who was not there just before: some limit how often one may ask."""
    from django.core.cache import cache

    cache.clear()
    return browser.get(address)


def _milliseconds(browser: Client, address: str) -> float:
    from django.core.cache import cache

    taken = []
    for _ in range(TIMES):
        cache.clear()
        began = time.perf_counter()
        answer: Any = browser.get(address)
        if answer.streaming:
            b"".join(answer.streaming_content)
        taken.append(1000 * (time.perf_counter() - began))
        assert answer.status_code in (200, 302), address
    return statistics.median(taken)


def _queries(browser: Client, address: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        _answer(browser, address)
    return len(queries)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m bench.pages", description="Every page, by time and queries.")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"put the table between {BEGIN} and {END} of FILE")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as folder:
        os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "webapp.settings.testing"}
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/studio.sqlite3"
        text = f"{machine()}\n\n{table(measure())}"
    print(text)
    if arguments.write:
        replace_file(arguments.write, between(arguments.write.read_text(), text, BEGIN, END).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())

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
from typing import TYPE_CHECKING

from bench.__main__ import between, machine
from bench.jobs import Figure, table
from bench.jobs_studio import open_studio
from faceengine.files import replace_file

if TYPE_CHECKING:
    from django.test import Client

BEGIN, END = "<!-- bench-pages: begin -->", "<!-- bench-pages: end -->"
SIZE = {"projects": 50, "crops": 5_000, "runs": 20}
TIMES = 9
MOST_MS, MOST_QUERIES = 150.0, 10


def measure() -> list[Figure]:
    """Each page's median and queries, the slowest first."""
    open_studio()
    from django.test import Client

    from tests.web.large import addresses, build
    from tests.web.test_every_page import LISTS

    large = build(**SIZE)
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(large.owner)
    rows = []
    for name, address in addresses(large)[0].items():
        if browser.get(address).status_code in (200, 302):
            rows.append((_milliseconds(browser, address), _queries(browser, address), name))
    figures = []
    for spent, queries, name in sorted(rows, reverse=True):
        allowed = MOST_QUERIES + LISTS.get(name, 0)
        reached = spent <= MOST_MS and queries <= allowed
        target = f"≤ {MOST_MS:.0f} ms, ≤ {allowed} queries"
        figures.append(Figure(f"`{name}`", f"{spent:.0f} ms, {queries} queries", target, reached))
    return figures


def _milliseconds(browser: Client, address: str) -> float:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = browser.get(address)
        if not answer.streaming:
            assert answer.content is not None
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def _queries(browser: Client, address: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        browser.get(address)
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

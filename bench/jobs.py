"""``python -m bench.jobs [PART...] [--write FILE]``: the ledger's figures, each beside its target, as one table.

A part is a module here, ``jobs_<part>``, run as a process of its own with a studio of its own: an empty ``DATA_DIR``,
its database, its ports. It prints its figures as JSON (:func:`report`). Parts that ask for a server that is not
installed say so in the table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.__main__ import between, machine
from bench.jobs_studio import end_studio
from faceengine.files import replace_file
from tests.jobs import servers

BEGIN, END = "<!-- bench-jobs: begin -->", "<!-- bench-jobs: end -->"
STACKS = ("SQLite", "Postgres", "Celery")
PARTS = ("idle", "scale", "writers", "live", "recovery", "segments", "soak")


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    found: str
    target: str = ""
    reached: bool | None = None
    """``None`` where nothing was asked for."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m bench.jobs", description="Measure the ledger beside its targets.")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"put the table between {BEGIN} and {END} of FILE")
    arguments = parser.parse_args(argv)
    figures = [figure for part in arguments.parts or PARTS for figure in (soaks() if part == "soak" else measure(part))]
    text = f"{machine()}\n\n{table(figures)}"
    print(text)
    if arguments.write:
        replace_file(arguments.write, between(arguments.write.read_text(), text, BEGIN, END).encode())
    return 0


def measure(part: str, **variables: str) -> list[Figure]:
    """The part's figures, from a process of its own with an empty studio."""
    print(f"measuring {part} …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-jobs-") as folder:
        environment = os.environ | {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "webapp.settings.development"}
        command = [sys.executable, "-m", f"bench.jobs_{part}"]
        process = subprocess.run(command, env=environment | variables, stdout=subprocess.PIPE, text=True, check=False)
        end_studio(folder)
    try:
        return [Figure(**fields) for fields in json.loads(process.stdout.splitlines()[-1])]
    except (IndexError, ValueError):
        return [Figure(part, f"not measured: it ended with {process.returncode}", reached=False)]


def soaks() -> list[Figure]:
    """The soak on every database and queue, the servers being started for it."""
    return [figure for stack in STACKS for figure in _soak(stack)]


def _soak(stack: str) -> list[Figure]:
    """The soak on ``SQLite``, ``Postgres``, or ``Celery`` with Postgres and RabbitMQ."""
    variables = {"BENCH_STACK": stack}
    with ExitStack() as started:
        try:
            if stack != "SQLite":
                port = started.enter_context(servers.postgres()).port
                variables["DATABASE_URL"] = f"postgres://studio@127.0.0.1:{port}/postgres"
            if stack == "Celery":
                port = started.enter_context(servers.rabbitmq()).port
                variables |= {"TASKS_ENGINE": "celery", "CELERY_BROKER_URL": f"amqp://guest:guest@127.0.0.1:{port}//"}
        except servers.MissingServerError as error:
            return [Figure(f"kills on {stack}", f"not measured: {error}")]
        return measure("soak", **variables)


def report(figures: Sequence[Figure]) -> None:
    """Print a part's figures for :func:`measure`."""
    print(json.dumps([asdict(figure) for figure in figures]))


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    words = {True: "yes", False: "**no**", None: ""}
    lines = ["| what | found | target | reached |", "| --- | --- | --- | --- |"]
    lines += [f"| {one.name} | {one.found} | {one.target} | {words[one.reached]} |" for one in figures]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

"""Command line: ``python -m tools.synthetic_faces --out DIR`` and ``… sheet DIR FILE``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.synthetic_faces.buffers import NoOpenGLError
from tools.synthetic_faces.generate import DifferentPlanError, Plan, generate
from tools.synthetic_faces.sheet import contact_sheet
from tools.synthetic_faces.wheel import MissingDataError


def _sheet(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="synthetic_faces sheet", description="Write a contact sheet of one group.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--group", type=int, default=0)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--crops", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first crop to show")
    parser.add_argument("--labels", action="store_true", help="draw masks and landmarks")
    a = parser.parse_args(arguments)
    contact_sheet(
        a.folder, a.out, group=a.group, people=a.people, crops=a.crops, first=a.first, labels=a.labels
    )  # fmt: skip


def _generate(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="synthetic_faces", description="Render synthetic people in shared scenes.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the shards; finished ones are kept")
    parser.add_argument("--people", type=int, default=512)
    parser.add_argument("--crops", type=int, default=60, help="crops per person, at most 1000")
    parser.add_argument("--group", type=int, default=8, help="people who share their scenes")
    parser.add_argument("--size", type=int, default=256, help="side of a crop in pixels")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    a = parser.parse_args(arguments)
    if not 1 <= a.crops <= 1000 or a.people < 1 or a.group < 1 or a.size < 32 or a.processes < 1:
        parser.error("--people, --group and --processes must be at least 1, --size 32, --crops from 1 to 1000")
    generate(Plan(a.seed, a.people, a.crops, a.group, a.size), a.out, a.processes)


def main(arguments: list[str]) -> int:
    """Run a command; return the exit status."""
    try:
        if arguments[:1] == ["sheet"]:
            _sheet(arguments[1:])
        else:
            _generate(arguments)
    except (MissingDataError, NoOpenGLError, DifferentPlanError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

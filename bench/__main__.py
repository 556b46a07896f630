"""``python -m bench [PART...] [--write FILE]``: every figure beside its yardstick, measured in one run, as one table.

A part is a module here with ``rows() -> list[dict]``; each has ``name, ours, yardstick, ratio, unit, asked``.
Ours and the yardstick of a row are measured in the same run on the same machine, so that their ratio means something
on any machine; the rates alone don't.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faceengine.files import replace_file

PARTS = ("extraction", "training", "conversion", "quality")
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
_HEADER = ("what", "ours", "yardstick", "unit", "ratio", "asked for")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m bench", description="Measure every figure beside its yardstick.")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"put the table between {BEGIN} and {END} of FILE")
    arguments = parser.parse_args(argv)
    rows: list[dict[str, Any]] = []
    for part in arguments.parts or PARTS:
        print(f"measuring {part} …", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"bench.{part}").rows()
    text = f"{machine()}\n\n{table(rows)}"
    print(text)
    if arguments.write:
        replace_file(arguments.write, between(arguments.write.read_text(), text).encode())
    return 0


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as one Markdown table."""
    lines = ["| " + " | ".join(_HEADER) + " |", "| " + " | ".join("---" for _ in _HEADER) + " |"]
    for row in rows:
        cells = [row["name"], *(_number(row[key]) for key in ("ours", "yardstick")), row["unit"]]
        cells += [_number(row["ratio"]), _number(row["asked"])]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def between(document: str, text: str, begin: str = BEGIN, end: str = END) -> str:
    """``document`` with ``text`` in place of what stands between the two marks. Raises ``ValueError`` without them."""
    head, found, rest = document.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the document lacks {begin} … {end}")
    return f"{head}{begin}\n{text}\n{end}{tail}"


def machine() -> str:
    """One line on what was measured with."""
    import torch

    return (
        f"Measured on {_processor()}, {os.cpu_count()} processors, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, torch {torch.__version__}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())

"""``python -m bench.gpu [--write FILE]``: the GPU path checked and measured in at most eight minutes.

Losses on CUDA against the CPU, iterations that wait for the GPU, a short real training with a preview sheet, conversion
at 720p and 1080p, images a second of every preset, memory, compiled networks and the largest batch that fits
(``gpu_parts.py``). It needs the repository's demo clips and no network. Without a GPU the table reads
"Not run"; ``--device cpu --small`` runs the same code, to try the check itself.

Each part has a process of its own: one that fails, hangs or breaks CUDA costs its own rows and no others. The table is
written after every row, so what an interrupted check has found is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.__main__ import between, table
from faceengine.files import replace_file

BEGIN, END = "<!-- bench-gpu: begin -->", "<!-- bench-gpu: end -->"
BUDGET = 470.0
"""Seconds of the whole check: later parts are skipped, and the table lists them."""
LIMITS = {
    "losses": 60.0,
    "faces": 60.0,
    "waiting": 60.0,
    "training": 170.0,
    "speeds": 90.0,
    "batches": 60.0,
    "compiled": 70.0,
    "graphs": 70.0,
}
"""The parts, the most telling first, and the most seconds each may take."""
SHORTEST = 8.0
"""Seconds below which a part is not begun: its process would hardly have started."""
ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "var" / "check-gpu"
"""Where the table and the preview sheet are kept."""

Row = dict[str, Any]
OnRow = Callable[[Row], None]


def main() -> int:
    """Run all parts, or those named; the exit code is 1 if one of them failed."""
    arguments = _arguments()
    report = _Report(arguments.write, arguments.keep / "table.md")
    if arguments.device.startswith("cuda") and not _gpu():
        report.say("Not run: there was no GPU.")
        return 0
    end = time.monotonic() + arguments.seconds
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for part in arguments.parts or LIMITS:
            if part == "faces" and arguments.faces:
                continue
            left = end - time.monotonic()
            if left < SHORTEST:
                report.add(row(f"{part}: not run", "", "", "", "time is up"))
                failed = True
                continue
            words = ["--device", arguments.device, "--folder", folder, "--keep", str(arguments.keep)]
            words += ["--faces", str(arguments.faces or folder)] + ["--small"] * arguments.small
            limit = LIMITS[part] if arguments.device.startswith("cuda") else arguments.seconds
            failed |= bool(run_part(part, words, min(left, limit), report.add))
    return int(failed)


def run_part(part: str, words: list[str], seconds: float, on_row: OnRow) -> int:
    """Run one part in a process group of its own, handing on each row as it comes; how many of its rows failed.

    A part that fails or takes longer than ``seconds`` gets a row with the reason.
    """
    failures, late = 0, threading.Event()
    tail: deque[str] = deque(maxlen=4)
    with _process([sys.executable, "-m", "bench.gpu_parts", part, *words]) as process:
        listener = threading.Thread(target=_listen, args=(process, tail), daemon=True)
        listener.start()

        def stop() -> None:
            late.set()
            _end(process)

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            for line in process.stdout or ():
                found = _row_of(line)
                if found is not None:
                    failures += found["ours"] == FAILED
                    on_row(found)
            code = process.wait()
        finally:
            timer.cancel()
        listener.join(1.0)
    if late.is_set():
        on_row(row(f"{part}: stopped after {seconds:.0f} s", FAILED))
    elif code != 0:
        on_row(row(f"{part}: {' '.join(tail)[-300:] or f'ended with {code}'}", FAILED))
    return failures + (late.is_set() or code != 0)


FAILED = "failed"


def row(name: str, ours: object, unit: str = "", yardstick: object = "", asked: object = "") -> Row:
    """A row of the table; the ratio is that of two numbers."""
    numbers = isinstance(ours, float) and isinstance(yardstick, float) and yardstick
    ratio: object = ours / yardstick if numbers else ""  # type: ignore[operator]
    name = " ".join(name.replace("|", "/").split())
    return {"name": name, "ours": ours, "yardstick": yardstick, "unit": unit, "ratio": ratio, "asked": asked}


class _Report:
    """The table so far, printed and written after each row."""

    def __init__(self, document: Path | None, kept: Path) -> None:
        self._document = document
        self._kept = kept
        self._rows: list[Row] = []
        self._title = ""
        kept.parent.mkdir(parents=True, exist_ok=True)

    def add(self, found: Row) -> None:
        print(found["name"], found["ours"], found["unit"], file=sys.stderr, flush=True)
        if found["name"].startswith("Measured on"):
            self._title = found["name"]
        elif found not in self._rows:
            self._rows.append(found)
        self.say(f"{self._title}\n\n{table(self._rows)}", quiet=True)

    def say(self, text: str, *, quiet: bool = False) -> None:
        if not quiet:
            print(text)
        replace_file(self._kept, (text + "\n").encode())
        if self._document is not None:
            replace_file(self._document, between(self._document.read_text(), text, BEGIN, END).encode())


def _gpu() -> bool:
    # In a process of its own: this one needs no CUDA, whose memory the parts are to have for themselves.
    ask = "import torch, sys; sys.exit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", ask], check=False).returncode == 0


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, start_new_session=True, errors="replace"
    )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """End a part and what it has started: data loaders and compilers are its children."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _listen(process: subprocess.Popen[str], tail: deque[str]) -> None:
    for line in process.stderr or ():
        print("   ", line.rstrip(), file=sys.stderr, flush=True)
        if line.strip():
            tail.append(line.strip())


def _row_of(line: str) -> Row | None:
    """What a part has printed, if it is a row: libraries print, too."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "name" in found else None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench.gpu", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *LIMITS], metavar="PART", help=f"of {', '.join(LIMITS)}")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 …, or cpu to try the check itself")
    parser.add_argument("--faces", type=Path, metavar="FOLDER", help="with face sets a and b, instead of the demo's")
    parser.add_argument("--small", action="store_true", help="few and small iterations, to try the check itself")
    parser.add_argument("--seconds", type=float, default=BUDGET, help="most seconds of the whole check")
    parser.add_argument("--keep", type=Path, default=KEPT, metavar="FOLDER", help="for the table and the preview sheet")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"put the table between {BEGIN} and {END} of FILE")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

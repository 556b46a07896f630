"""``python -m bench.provenance [--write FILE]``: what marks cost, how quickly they are read, and what a copy leaves.

The share of a conversion is taken inside of one: the clock of its label and its signature beside that of all of it. Two
conversions, one without, would differ by more than is measured here, on any machine that does other work as well.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from bench.__main__ import between, machine
from bench.conversion import DEMO, enlarged, untrained_run
from bench.jobs import Figure, table
from faceengine.conversion.config import ConvertConfig
from faceengine.conversion.convert import run
from faceengine.files import replace_file
from faceengine.provenance.credentials import CHAIN_FILE, KEY_FILE, ROOT_FILE, Credentials, make_chain
from faceengine.provenance.inspect import inspect
from faceengine.provenance.label import Label
from faceengine.provenance.marks import Marks
from faceengine.provenance.origin import Origin
from faceengine.provenance.signing import sign_video

BEGIN, END = "<!-- bench-provenance: begin -->", "<!-- bench-provenance: end -->"
SECONDS = 20
LARGE_MB = 100
COPIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("copy.mp4", ()),
    ("flag.mp4", ("-movflags", "use_metadata_tags")),
    ("copy.mov", ()),
    ("flag.mov", ("-movflags", "use_metadata_tags")),
    ("copy.mkv", ()),
    ("copy.webm", ()),
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m bench.provenance", description="Measure what marks cost.")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"put the tables between {BEGIN} and {END} of FILE")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_chain(folder / "chain", "Bench")
        figures = [*_conversion(folder), *_verify(folder)]
        text = f"{machine()}\n\n{table(figures)}\n\n{_copies(folder)}"
    print(text)
    if arguments.write:
        replace_file(arguments.write, between(arguments.write.read_text(), text, BEGIN, END).encode())
    return 0


def _credentials(folder: Path) -> Credentials:
    return Credentials.load(folder / "chain" / CHAIN_FILE, folder / "chain" / KEY_FILE)


def _conversion(folder: Path) -> list[Figure]:
    """The clocks of signing and labelling inside a conversion of 720p."""
    clip = enlarged(folder / "clip.mp4", SECONDS)
    model = untrained_run(folder / "run", clip)
    spent: dict[str, float] = {"sign": 0.0, "label": 0.0}
    config = ConvertConfig(video=clip, model=model, direction="a2b", landmarks="dlib")
    plain = (Marks.sign, Label.drawn)
    try:
        Marks.sign = _timed(Marks.sign, spent, "sign")  # type: ignore[method-assign]
        Label.drawn = _timed(Label.drawn, spent, "label")  # type: ignore[method-assign]
        began = time.monotonic()
        result = run(config, folder / "marked")
        total = time.monotonic() - began
    finally:
        Marks.sign, Label.drawn = plain  # type: ignore[method-assign]
    size = result.path.stat().st_size / 1e6
    shares = {name: seconds / total for name, seconds in spent.items()}
    what = f"{result.frames} frames of 720p in {total:.1f} s"
    return [
        Figure(
            f"hashing the source and signing {size:.1f} MB, of {what}",
            f"{spent['sign'] * 1000:.0f} ms: {shares['sign']:.2%}",
            "≤ 3 %",
            shares["sign"] <= 0.03,
        ),
        Figure(
            "drawing the label into every frame of it",
            f"{spent['label'] / result.frames * 1000:.2f} ms a frame: {shares['label']:.2%}",
            "≤ 1 %",
            shares["label"] <= 0.01,
        ),
    ]


def _timed(function: Callable[..., Any], spent: dict[str, float], name: str) -> Callable[..., Any]:
    def timed(*arguments: Any, **more: Any) -> Any:
        began = time.monotonic()
        try:
            return function(*arguments, **more)
        finally:
            spent[name] += time.monotonic() - began

    return timed


def _verify(folder: Path) -> list[Figure]:
    """A large file, signed and read as the page reads it: in a process of its own, with its start."""
    plain, large = folder / "plain.mp4", folder / "large.mp4"
    loops = LARGE_MB * 1_000_000 // DEMO.stat().st_size
    _ffmpeg("-stream_loop", str(loops), "-i", DEMO, "-c", "copy", plain)
    size = plain.stat().st_size / 1e6
    began = time.monotonic()
    sign_video(plain, large, Origin("bench"), _credentials(folder), source=DEMO)
    signing = time.monotonic() - began
    times = []
    for _ in range(3):
        began = time.monotonic()
        assert inspect(large, ours=folder / "chain" / ROOT_FILE)["signature"]["state"] == "intact"
        times.append(time.monotonic() - began)
    best = sorted(times)[1] * 100 / size
    return [
        Figure(f"signing {size:.0f} MB", f"{signing:.2f} s"),
        Figure("verifying 100 MB, median of 3", f"{best:.2f} s", "≤ 1 s", best <= 1),
    ]


def _copies(folder: Path) -> str:
    """What ``ffmpeg -c copy`` leaves of each mark."""
    marked = folder / "marked" / "result.mp4"
    lines = ["| `ffmpeg -c copy` into | label | AIGC metadata | signature |", "| --- | --- | --- | --- |"]
    for name, options in COPIES:
        path = folder / name
        words = " ".join((name.partition(".")[2], *(f"`{option}`" for option in options)))
        if not _ffmpeg("-i", marked, "-c", "copy", *options, path):
            lines.append(f"| {words} | ffmpeg refuses: the container can't hold H.264 | | |")
            continue
        reading = inspect(path)
        found = ("stays" if reading["aigc"] else "lost", "stays" if reading["signature"] else "lost")
        lines.append(f"| {words} | stays: it is in the pictures | {found[0]} | {found[1]} |")
    return "\n".join(lines)


def _ffmpeg(*arguments: str | Path) -> bool:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())

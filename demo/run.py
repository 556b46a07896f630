"""``make demo``: from the clips in this folder to swapped videos with scores, by the command line a person would use.

Everything lies in ``var/demo``. Started again it goes on where it was left: faces that are cut out and a model that
is trained are kept, the videos and their scores are made anew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = Path("var/demo")
DIRECTIONS = {"a2b": ("a", "b"), "b2a": ("b", "a")}
"""Direction → (whose video it is, whose face it gets)."""
MINUTES = 8.0
EVERY = 2


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("demo/run.py", description="Two clips, a model, two swapped videos, their scores.")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="training time (default: %(default)s)")
    minutes = parser.parse_args(argv).minutes
    began = time.monotonic()
    engine("weights", "--fetch", "--if-online")
    clips = HERE.relative_to(ROOT)
    (ROOT / OUT).mkdir(parents=True, exist_ok=True)
    for person in "ab":
        engine("extract", clips / f"person_{person}.mp4", "--out", OUT / f"faces_{person}", "--every", EVERY)
    train(minutes)
    for direction, (person, wanted) in DIRECTIONS.items():
        clip, result = clips / f"held_out_{person}.mp4", OUT / f"{direction}.mp4"
        engine("convert", clip, "--run", OUT / "run", "--direction", direction, "--out", result)
        yardsticks = ["--wanted", OUT / f"faces_{wanted}", "--original", clip, "--run", OUT / "run"]
        yardsticks += ["--truth", clips / f"truth_{direction}.mp4"]
        engine("score", result, *yardsticks, "--out", OUT / f"{direction}.json")
    print(summary(time.monotonic() - began))
    return 0


def train(minutes: float) -> None:
    """Train the model, or go on with one that was left half-way; one that got its minutes is kept."""
    done = ROOT / OUT / "run" / "demo-minutes"
    if done.exists() and float(done.read_text()) >= minutes:
        print(f"\n{OUT / 'run'} is trained; remove it to train anew")
        return
    people = ["--a", OUT / "faces_a", "--b", OUT / "faces_b"]
    engine("train", *people, "--run", OUT / "run", "--preset", "quick", "--minutes", minutes)
    done.write_text(str(minutes))


def engine(*words: object) -> None:
    """Run one command of the engine, showing it; ends the demo with its exit code if it fails or was stopped."""
    command = ["-m", "faceengine", *map(str, words)]
    print("\n$ python", *command, flush=True)
    # Ctrl-C reaches the command too, which then stops by itself with everything in order: wait for it.
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT)
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt:
            continue
    if code != 0:
        sys.exit(code)


def summary(seconds: float) -> str:
    """Where everything lies, and what the numbers say in words."""
    lines = [f"\nDone in {seconds / 60:.1f} minutes. Look at:"]
    preview = max((ROOT / OUT / "run" / "previews").glob("*.png"))
    for direction, (person, wanted) in DIRECTIONS.items():
        report = json.loads((ROOT / OUT / f"{direction}.json").read_text())
        lines += [
            "",
            f"  {direction}: person {person.upper()}'s video with the face of person {wanted.upper()}",
            f"    video    {OUT / f'{direction}.mp4'}",
            f"    report   {OUT / f'{direction}.json'}",
            f"    {likeness(report, person.upper(), wanted.upper())}",
        ]
    lines += ["", f"  preview sheet, the last of {OUT / 'run' / 'previews'}:", f"    {preview.relative_to(ROOT)}"]
    return "\n".join(lines)


def likeness(report: dict[str, Any], person: str, wanted: str) -> str:
    """The similarity between its floor and its ceiling, in words."""
    similarity, floor, ceiling = (report[key] for key in ("similarity", "floor", "ceiling"))
    share = (similarity - floor) / (ceiling - floor)
    place = f"{share:.0%} of the way from {person} (floor {floor:.2f}) to {wanted} (ceiling {ceiling:.2f})"
    side = "nearer to the wanted person" if share > 0.5 else "nearer to the original person"
    return f"similarity to {wanted} {similarity:.2f}: {place}, {side} [{report['network']}]"


if __name__ == "__main__":
    sys.exit(main())

"""A conversion in segments: two slots beside one, with one thread each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from bench.jobs import Figure, report
from bench.jobs_load import Load, ended, stored, submit
from bench.jobs_studio import ROOT, open_studio, running

LOOPS = 3
"""How often the demo's 40 s are repeated: the start of a body, some seconds, should not be what is measured."""
TARGET = 1.7


def main() -> None:
    open_studio()
    load = Load()
    with running("worker", "--slots", "gpu0,gpu1", OMP_NUM_THREADS="1"):
        load.undisturbed()
    _repeat(ROOT / "demo" / "person_a.mp4", stored("bench/long.mp4"))
    one, parts = convert("gpu0", load.run)
    two, _ = convert("gpu0,gpu1", load.run)
    text = f"{one:.0f} s with one, {two:.0f} s with two: {one / two:.2f} ×"
    name = f"converting {LOOPS * 40} s of video in {parts} segments, one thread a slot, two slots beside one"
    report([Figure(name, text, f"≥ {TARGET} ×", one / two >= TARGET)])


def _repeat(clip: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-stream_loop", str(LOOPS - 1), "-i", clip]
    subprocess.run([*command, "-c", "copy", target], check=True)


def convert(slots: str, run: str) -> tuple[float, int]:
    """Seconds from submission to the joined video, and the number of segments."""
    with running("worker", "--slots", slots, OMP_NUM_THREADS="1"):
        job = ended(submit("convert", {"video": "bench/long.mp4", "model": run, "direction": "a2b"}), 1800)
    _tell(job)
    return (job.finished_at - job.started_at).total_seconds(), job.parts.count()


def _tell(job: Any) -> None:
    """Say when what ran where, in seconds since the job's begin: what is serial can be seen."""
    for each in (job, *job.parts.order_by("index")):
        for one in each.attempts.order_by("number"):
            begun, ended = ((at - job.started_at).total_seconds() for at in (one.started_at, one.ended_at))
            first = each.events.filter(attempt=one.number, kind="progress").order_by("seq").first()
            spoke = "" if first is None else f", first progress at {(first.at - job.started_at).total_seconds():.1f} s"
            print(f"{each.kind} {each.index}: {begun:.1f} to {ended:.1f} s on {one.slot}{spoke}", file=sys.stderr)


if __name__ == "__main__":
    main()

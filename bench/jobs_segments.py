"""A conversion in segments: two slots beside one, with one thread each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
    report([_figure(load.run, kept=True), _figure(load.run, kept=False)])


def _figure(run: str, *, kept: bool) -> Figure:
    """Two workers beside one. ``OMP_NUM_THREADS`` alone does not make "one thread each": ffmpeg has threads of its own,
    with which a single worker uses the other core too. So a worker is kept to one core; what it is without is told."""
    one, parts = convert(1, run, kept=kept)
    two, _ = convert(2, run, kept=kept)
    how = "each kept to one core" if kept else "free to use both cores, torch with one thread"
    name = f"converting {LOOPS * 40} s of video in {parts} segments, two workers beside one, {how}"
    text = f"{one:.0f} s with one, {two:.0f} s with two: {one / two:.2f} ×"
    return Figure(name, text, f"≥ {TARGET} ×", one / two >= TARGET) if kept else Figure(name, text)


def _repeat(clip: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-stream_loop", str(LOOPS - 1), "-i", clip]
    subprocess.run([*command, "-c", "copy", target], check=True)


def convert(workers: int, run: str, *, kept: bool) -> tuple[float, int]:
    """Seconds from the job's begin to the joined video, and the number of segments."""
    cores = sorted(os.sched_getaffinity(0))[:workers]
    with ExitStack() as started:
        for core in cores:
            with _on({core} if kept else os.sched_getaffinity(0)):
                slot = running("worker", "--slots", f"gpu{core}", OMP_NUM_THREADS="1", JOBS_HOST=f"bench{core}")
                started.enter_context(slot)
        job = ended(submit("convert", {"video": "bench/long.mp4", "model": run, "direction": "a2b"}), 1800)
    _tell(job)
    return (job.finished_at - job.started_at).total_seconds(), job.parts.count()


@contextmanager
def _on(cores: set[int]) -> Iterator[None]:
    """What is started inside runs on these cores only, and so does all that it starts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


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

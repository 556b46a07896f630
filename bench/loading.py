"""``python -m bench.loading A B``: how soon a training with very large face sets begins, in how much memory, and how
many crops a second its data loader prepares.

The crops of the sets A and B are repeated until there are ``--crops`` of each. Starts are those of the real command
line, from the start of its process to the first iteration's losses; memory is sampled over all its processes.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.__main__ import machine, table
from faceengine.faceset import FaceSet
from faceengine.training.pictures import VISIBLE

ROOT = Path(__file__).resolve().parents[1]
SECONDS, GIGABYTES = 15.0, 4.0
"""What is asked of the start of a training."""
PRESETS = ("quick", "standard", "fine")
SAMPLE = 0.5
"""Seconds between two looks at the memory."""
DIFFERENT = 20
"""Batches that a rate is measured with, again and again: all that they need has been read by then."""

Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser("python -m bench.loading", description=__doc__)
    parser.add_argument("a", type=Path, help="a face set of A")
    parser.add_argument("b", type=Path, help="a face set of B")
    parser.add_argument("--crops", type=int, default=5000, help="crops of each large set")
    parser.add_argument("--folder", type=Path, help="where the large sets are made, and kept for the next time")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each rate")
    parser.add_argument("--presets", nargs="*", default=PRESETS, help=f"of {', '.join(PRESETS)}")
    parser.add_argument("--all-read", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.all_read:
        train_with_all_read(arguments.a, arguments.b, arguments.folder, arguments.presets[0])
        return 0
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        a = repeated(arguments.a, folder / "a", arguments.crops)
        b = repeated(arguments.b, folder / "b", arguments.crops)
        for preset in arguments.presets:
            for row in itertools.chain(starts(a, b, preset, Path(temporary)), rates(a, b, preset, arguments.seconds)):
                print(row["name"], row["ours"], row["unit"], file=sys.stderr, flush=True)
                found.append(row)
    print(f"{machine()}\n\n{table(found)}")
    return 0


def repeated(source: Path, folder: Path, count: int) -> Path:
    """Return a face set of ``count`` crops that are those of ``source``, again and again."""
    if (folder / "faces.json").is_file():
        return folder
    with FaceSet.open(source) as faces, FaceSet.create(folder) as large:
        crops = faces.crops(usable=True)
        pictures = {crop.id: (faces.image(crop.id), faces.masks(crop.id)) for crop in crops}
        large.set_settings(faces.settings)
        for name, known in faces.inputs().items():
            large.set_input(name, **known)
        with large.transaction():
            for number, crop in zip(range(count), itertools.cycle(crops), strict=False):
                large.add(dataclasses.replace(crop, frame=number, near_duplicates=None), *pictures[crop.id])
        large.write_summary(faces.summary)
    return folder


# -- starts ------------------------------------------------------------------------------------------------------------


def starts(a: Path, b: Path, preset: str, folder: Path) -> Iterator[Row]:
    """A first start and a resume, and the memory of a training that has read every crop."""
    words = ["-m", "faceengine", "train", "--a", a, "--b", b, "--preset", preset, "--run", folder / preset, "--json"]
    for what in ("first start", "resume"):
        begun = _begun([*words, "--log-every", "1"])
        yield _row(f"{preset}: {what}, to the first iteration", begun.seconds, "s", f"≤ {SECONDS:.0f}")
        yield _row(f"{preset}: {what}, memory of all processes", begun.gigabytes, "GB", f"≤ {GIGABYTES:.0f}")
    words = ["-m", "bench.loading", a, b, "--all-read", "--presets", preset, "--folder", folder / f"{preset}-all"]
    peak = _begun(words).gigabytes
    yield _row(f"{preset}: every crop read, memory of all processes", peak, "GB", f"≤ {GIGABYTES:.0f}")


def train_with_all_read(a: Path, b: Path, folder: Path, preset: str) -> None:
    """A short training in the memory of one that has read every crop; its progress as JSON lines."""
    from faceengine.events import to_json
    from faceengine.training import people, train
    from faceengine.training.config import TrainConfig

    load = people.load_person

    def load_all(*words: Any) -> Any:
        person = load(*words)
        for part in (person.pictures._images, person.pictures._masks):
            part[:] = 128  # takes the pages as reading would, in seconds
        return person

    train.load_person = load_all  # type: ignore[attr-defined, assignment]
    config = TrainConfig(a=a, b=b, preset=preset, iterations=12, log_every=1)
    train.run(config, folder, on_event=lambda event: print(to_json(event), flush=True))


@dataclass(frozen=True)
class _Begun:
    seconds: float
    """To the first iteration."""
    gigabytes: float
    """Most memory of all processes, each shared page counted once (PSS), until it was stopped."""


def _begun(words: list[object]) -> _Begun:
    """Start a training, let it run for ten iterations, and stop it as Ctrl-C does."""
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, *map(str, words)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    first, seen = None, 0
    with _memory(process.pid) as peak:
        for line in process.stdout or ():
            if json.loads(line)["event"] != "losses":
                continue
            first, seen = first or time.monotonic() - began, seen + 1
            if seen == 10:
                process.send_signal(signal.SIGINT)
        process.wait()
    if first is None:
        raise RuntimeError(f"no iteration of {words}")
    return _Begun(first, peak[0] / 1e9)


@contextmanager
def _memory(process: int) -> Iterator[list[int]]:
    """Keep the most bytes that a process and its descendants had at once, each shared page counted once."""
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE):
            peak[0] = max(peak[0], sum(_proportional(one) for one in [process, *_descendants(process)]))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _proportional(process: int) -> int:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return 0


def _descendants(process: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *_descendants(child)]
    return found


# -- rates -------------------------------------------------------------------------------------------------------------


def rates(a: Path, b: Path, preset: str, seconds: float) -> Iterator[Row]:
    """Crops a second of one data loader's worker, by its processor time, and of all that a training has."""
    shutil.rmtree(a / VISIBLE, ignore_errors=True)  # as if no training had read the set
    fresh, again = _one_worker(_dataset(a, b, preset), seconds)
    yield _row(f"{preset}: crops when first read, one worker, by processor time", fresh, "crops/s")
    yield _row(f"{preset}: crops read before, one worker, by processor time", again, "crops/s")
    rate, workers = _all_workers(_dataset(a, b, preset), seconds)
    yield _row(f"{preset}: crops read before, workers: {workers}, by the clock", rate, "crops/s")


def _dataset(a: Path, b: Path, preset: str) -> Any:
    from faceengine.events import ignore
    from faceengine.training.config import PRESETS as RECIPES
    from faceengine.training.data import Batches
    from faceengine.training.people import load_person

    recipe = RECIPES[preset]
    people = {name: load_person(name, folder, recipe.model.size, ignore) for name, folder in (("a", a), ("b", b))}
    return Batches({name: person.pictures for name, person in people.items()}, recipe, seed=0)


def _one_worker(dataset: Any, seconds: float) -> tuple[float, float]:
    pictures = dataset.pictures["a"]
    crops = min(len(pictures), 200)
    began = time.process_time()
    for index in range(crops):
        _ = pictures[index]
    fresh = crops / (time.process_time() - began)
    for number in range(DIFFERENT):
        _ = dataset[number]
    began, done = time.process_time(), 0
    while time.process_time() - began < seconds:
        _ = dataset[done % DIFFERENT]
        done += 1
    return fresh, 2 * dataset.recipe.batch * done / (time.process_time() - began)


def _all_workers(dataset: Any, seconds: float) -> tuple[float, int]:
    from torch.utils.data import DataLoader

    for number in range(DIFFERENT):
        _ = dataset[number]
    workers = min(4, (os.cpu_count() or 1) - 1)
    loader = DataLoader(dataset, batch_size=None, sampler=_Cycle(), num_workers=workers)
    batches = iter(loader)
    for _ in range(4 * workers):  # what was prepared ahead
        next(batches)
    began, done = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        next(batches)
        done += 1
    return 2 * dataset.recipe.batch * done / (time.monotonic() - began), workers


class _Cycle:
    def __iter__(self) -> Iterator[int]:
        return itertools.cycle(range(DIFFERENT))


def _row(name: str, ours: float, unit: str, asked: str = "") -> Row:
    return {"name": name, "ours": ours, "yardstick": "", "unit": unit, "ratio": "", "asked": asked}


if __name__ == "__main__":
    sys.exit(main())

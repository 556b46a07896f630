"""What the engine's tests share: the demo's clips, short cuts of them, face sets and a tiny model made from them.

Everything is made once a run of the tests by the engine itself, and only when a test asks for it. Tests that run side
by side share it.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import imageio_ffmpeg
import pytest

from faceengine.events import Event

ROOT = Path(__file__).resolve().parents[2]
SHORT_FRAMES = 50


@pytest.fixture(scope="session")
def demo_a() -> Path:
    """Person A: 40 s, 640×480, 25 fps, with sound."""
    return ROOT / "demo" / "person_a.mp4"


@pytest.fixture(scope="session")
def demo_b() -> Path:
    """Person B, the same kind of clip."""
    return ROOT / "demo" / "person_b.mp4"


MakeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """Has a file or folder of some name made by whoever needs it first; other processes of this run wait for it."""
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    shared.mkdir(exist_ok=True)

    def make_once(name: str, make: Callable[[Path], object]) -> Path:
        path, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            if not done.exists():
                make(path)
                done.touch()
        return path

    return make_once


@pytest.fixture(scope="session")
def short_a(demo_a: Path, make_once: MakeOnce) -> Path:
    """The first 50 frames of :func:`demo_a`, 2 s with sound."""
    return make_once("a.mp4", partial(_cut, demo_a))


@pytest.fixture(scope="session")
def short_b(demo_b: Path, make_once: MakeOnce) -> Path:
    """The first 50 frames of :func:`demo_b`, 2 s with sound."""
    return make_once("b.mp4", partial(_cut, demo_b))


@pytest.fixture(scope="session")
def faces_a(demo_a: Path, make_once: MakeOnce) -> Path:
    """A face set of person A with about 40 crops. Copy it before changing it."""
    return make_once("faces_a", partial(_extract, demo_a))


@pytest.fixture(scope="session")
def faces_b(demo_b: Path, make_once: MakeOnce) -> Path:
    """A face set of person B with about 40 crops. Copy it before changing it."""
    return make_once("faces_b", partial(_extract, demo_b))


@pytest.fixture(scope="session")
def tiny_run(faces_a: Path, faces_b: Path, make_once: MakeOnce) -> Path:
    """A run of the quick preset, four iterations long. Copy it before changing it."""
    from faceengine.training.config import TrainConfig
    from faceengine.training.train import run

    config = TrainConfig(
        a=faces_a, b=faces_b, preset="quick", iterations=4, batch=4, checkpoint_every=2, preview_every=2, workers=0
    )
    return make_once("tiny_run", partial(run, config))


class Heard:
    """An ``on_event`` that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)


@pytest.fixture
def heard() -> Heard:
    return Heard()


def _extract(video: Path, folder: Path) -> None:
    from faceengine.extraction.config import ExtractConfig
    from faceengine.extraction.extract import run

    run(ExtractConfig(inputs=(video,), every=25), folder)


def _cut(video: Path, path: Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(video), "-frames:v", str(SHORT_FRAMES)]
    command += ["-t", "2", "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-c:a", "copy", str(path)]
    subprocess.run(command, check=True, timeout=60)

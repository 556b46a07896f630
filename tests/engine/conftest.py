"""What the engine's tests share: the demo's clips, short cuts of them, face sets and a tiny model made from them.

Everything is made once a session by the engine itself, and only when a test asks for it.
"""

from __future__ import annotations

import subprocess
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


@pytest.fixture(scope="session")
def short_a(demo_a: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 50 frames of :func:`demo_a`, 2 s with sound."""
    return _cut(demo_a, tmp_path_factory.mktemp("short") / "a.mp4")


@pytest.fixture(scope="session")
def short_b(demo_b: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 50 frames of :func:`demo_b`, 2 s with sound."""
    return _cut(demo_b, tmp_path_factory.mktemp("short") / "b.mp4")


@pytest.fixture(scope="session")
def faces_a(demo_a: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face set of person A with about 40 crops. Copy it before changing it."""
    return _extract(demo_a, tmp_path_factory.mktemp("faces") / "a")


@pytest.fixture(scope="session")
def faces_b(demo_b: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face set of person B with about 40 crops. Copy it before changing it."""
    return _extract(demo_b, tmp_path_factory.mktemp("faces") / "b")


@pytest.fixture(scope="session")
def tiny_run(faces_a: Path, faces_b: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 64-pixel run of the demo's preset, four iterations long. Copy it before changing it."""
    from faceengine.training.config import TrainConfig
    from faceengine.training.train import run

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    config = TrainConfig(
        a=faces_a, b=faces_b, preset="quick", iterations=4, batch=4, checkpoint_every=2, preview_every=2, workers=0
    )
    run(config, folder)
    return folder


class Heard:
    """An ``on_event`` that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)


@pytest.fixture
def heard() -> Heard:
    return Heard()


def _extract(video: Path, folder: Path) -> Path:
    from faceengine.extraction.config import ExtractConfig
    from faceengine.extraction.extract import run

    run(ExtractConfig(inputs=(video,), every=25), folder)
    return folder


def _cut(video: Path, path: Path) -> Path:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(video), "-frames:v", str(SHORT_FRAMES)]
    command += ["-t", "2", "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-c:a", "copy", str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path

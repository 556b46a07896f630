"""The example script of docs/api.md as a reader runs it: it stops for consent, and ends with a video that plays."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest

from faceengine.provenance.reading import read
from faceengine.video import read_frames
from tests.e2e.studio import ROOT, installed, people
from tests.jobs.installation import Installation

FRAMES = 120


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path / "studio", UPLOADS_PART_MB="8") as made:
        yield made


def clip(name: str, frames: int, folder: Path) -> Path:
    path = folder / f"{name}.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", ROOT / "demo" / f"{name}.mp4"]
    options = ["-frames:v", str(frames), "-t", str(frames / 25), "-preset", "veryfast"]
    subprocess.run([*command, *options, path], check=True)
    return path


@pytest.mark.timeout(600)
def test_the_example_runs_end_to_end(studio: Installation, tmp_path: Path) -> None:
    clips = {name: clip(name, frames, tmp_path) for name, frames in (("person_a", FRAMES), ("person_b", FRAMES))}
    clips["video"] = clip("held_out_a", 25, tmp_path)
    words = ["--studio", studio.url, "--token", people(studio, "token"), "--out", str(tmp_path / "swapped.mp4")]
    words += ["--a", str(clips["person_a"]), "--b", str(clips["person_b"]), "--video", str(clips["video"])]
    command = [sys.executable, str(ROOT / "docs" / "examples" / "end_to_end.py"), *words]
    command += ["--every", "3", "--preset", "tiny"]
    first = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"continue with --project (\d+)", first.stderr)
    assert first.returncode == 1
    assert found is not None, first.stderr
    people(studio, "agree")
    then = subprocess.run([*command, "--project", found[1]], capture_output=True, text=True, check=False, timeout=500)
    assert then.returncode == 0, then.stdout + then.stderr
    assert re.search(r"swapped.mp4: similarity 0\.\d+, from 0\.\d+ \(no swap\) to 0\.\d+", then.stdout)
    assert sum(1 for _ in read_frames(tmp_path / "swapped.mp4")) == 25
    marks = read(tmp_path / "swapped.mp4")
    assert marks.signature is not None
    assert marks.signature.state == "intact"

"""What becomes of honest files, and of a taking-in that is stopped or stuck."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from faceengine.errors import InputError
from faceengine.events import Event, Progress
from faceengine.files import sha256
from faceengine.intake import child
from faceengine.intake.child import Child
from faceengine.intake.config import IntakeConfig
from faceengine.intake.intake import run
from faceengine.video import read_frames
from tests.hostile import photos, videos
from tests.hostile.videos import encoded, ffmpeg, stamped


def taken(file: Path, folder: Path, **options: int) -> Path:
    """The video or picture that became of ``file``."""
    return folder / run(IntakeConfig(file=file, **options), folder).file  # type: ignore[arg-type]


def test_tells_how_far_it_is_and_ends_at_the_last_frame(tmp_path: Path) -> None:
    heard: list[Event] = []
    file = videos.plain(tmp_path)
    result = run(IntakeConfig(file=file), tmp_path / "run", on_event=heard.append)
    last = heard[-1]
    assert isinstance(last, Progress)
    assert (last.done, last.total) == (25, 25)
    assert result.sha256 == sha256(file)
    assert result.size == sum(path.stat().st_size for path in (tmp_path / "run").iterdir() if path.name != ".lock")


def test_a_file_that_is_there_already_is_told_and_not_made_again(tmp_path: Path) -> None:
    file = videos.plain(tmp_path)
    with pytest.raises(InputError) as refused:
        run(IntakeConfig(file=file, known=(sha256(file),)), tmp_path / "run")
    assert refused.value.code == "file.duplicate"


def test_pictures_keep_their_colours(tmp_path: Path) -> None:
    """Of every way that a plain red may be stored, none is taken for another colour."""
    for name, options in {
        "601.mp4": ["-pix_fmt", "yuv420p"],
        "full.mp4": ["-pix_fmt", "yuvj420p"],
        "444.mkv": ["-pix_fmt", "yuv444p"],
    }.items():
        red = "color=c=0xC81E28:size=96x64:rate=25:duration=0.4"
        file = encoded(name, "-c:v", "libx264", *options, picture=red)(tmp_path, "")
        shown = next(read_frames(taken(file, tmp_path / f"run-{name}"))).image
        assert np.abs(shown.reshape(-1, 3).mean(axis=0) - (200, 30, 40)).max() < 4, name


def test_a_turned_photo_stands_upright(tmp_path: Path) -> None:
    made = taken(photos.turned(tmp_path, ""), tmp_path / "run")
    with Image.open(made) as photo:
        pixels = np.asarray(photo)
    # Turned by a quarter clockwise: what ran to the right runs downwards, what ran downwards runs to the left.
    assert pixels[-5, 30, 0] > 200 > 50 > pixels[5, 30, 0]
    assert pixels[40, 5, 1] > 200 > 50 > pixels[40, -5, 1]


def test_a_turned_video_stands_upright(tmp_path: Path) -> None:
    file = videos.rotated(tmp_path, "")
    ours = next(read_frames(file)).image
    made = next(read_frames(taken(file, tmp_path / "run"))).image
    assert made.shape == ours.shape == (96, 64, 3)
    assert np.abs(made.astype(int) - ours).mean() < 6


def test_a_variable_rate_becomes_steady_in_step_with_the_clock(tmp_path: Path) -> None:
    file = stamped("a.mkv", [0, 0.04, 0.08, 0.12, 0.48, 0.52, 0.56, 0.6])(tmp_path, "")
    wanted = [frame.image.mean() for frame in read_frames(file, constant_rate=True)]
    made = [frame.image.mean() for frame in read_frames(taken(file, tmp_path / "run"))]
    assert len(made) == len(wanted) == 16
    assert np.abs(np.subtract(made, wanted)).max() < 4


def test_sound_stays_in_step(tmp_path: Path) -> None:
    """A flash and a beep at 0.8 s of a film whose sound begins at 0.5 s."""
    file = tmp_path / "late.mkv"
    picture = "color=c=black:size=96x64:rate=25:duration=1.6,drawbox=color=white:t=fill:enable='gte(t,0.8)'"
    beep = "sine=frequency=1000:duration=1.1,volume=0:enable='lt(t,0.3)'"
    ffmpeg("-f", "lavfi", "-i", picture, "-itsoffset", "0.5", "-f", "lavfi", "-i", beep, "-c:a", "flac", str(file))
    made = taken(file, tmp_path / "run")
    flash = next(frame.time for frame in read_frames(made) if frame.image.mean() > 128)
    with av.open(str(made)) as opened:
        sounds = [(frame.time, np.abs(frame.to_ndarray()).max()) for frame in opened.decode(audio=0)]
    heard = next(time for time, loudest in sounds if loudest > 0.02)
    assert flash == pytest.approx(0.8, abs=0.001)
    assert heard == pytest.approx(0.8, abs=0.045)  # AAC comes in frames of 21 ms


def test_a_large_video_is_made_smaller(tmp_path: Path) -> None:
    result = run(IntakeConfig(file=videos.plain(tmp_path), max_side=64), tmp_path / "run")
    assert (result.width, result.height) == (64, 42)


def test_stops_when_asked_and_leaves_nothing(tmp_path: Path) -> None:
    result = run(IntakeConfig(file=videos.plain(tmp_path)), tmp_path / "run", should_stop=lambda: True)
    assert result.stopped
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An ffmpeg that says nothing, and does not heed SIGTERM."""
    program = tmp_path / "deaf"
    program.write_text("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.1; done\n")
    program.chmod(0o755)
    monkeypatch.setattr(child.imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(program))
    monkeypatch.setattr(child, "_GRACE", 0.3)


@pytest.mark.usefixtures("endless")
def test_one_that_does_not_come_on_is_killed(tmp_path: Path) -> None:
    running = Child([], reads=tmp_path / "deaf", writes=tmp_path, patience=0.5)
    with pytest.raises(InputError) as stuck:
        list(running.frames(lambda: False))
    assert stuck.value.code == "video.stuck"
    assert running._process.returncode == -9

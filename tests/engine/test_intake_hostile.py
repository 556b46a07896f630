"""Every hostile file at the engine's door: refused with its code, or made into something plain. Nobody is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PIL import Image

from faceengine.errors import InputError
from faceengine.intake.config import IntakeConfig
from faceengine.intake.intake import IntakeResult, run
from tests.hostile.table import HARMLESS, REFUSED
from tests.hostile.videos import Make
from tests.hostile.watched import Watched


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with Watched() as watching:
        yield watching


@pytest.fixture
def arrival(tmp_path: Path) -> Path:
    folder = tmp_path / "arrival"
    folder.mkdir()
    return folder


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


@pytest.mark.parametrize(("make", "code"), REFUSED.values(), ids=REFUSED)
def test_refused_with_its_code_and_nothing_left(arrival: Path, watched: Watched, make: Make, code: str) -> None:
    file = make(arrival, watched.address)
    before = visible(arrival)
    with pytest.raises(InputError) as refused:
        run(IntakeConfig(file=file), arrival.parent / "run")
    assert refused.value.code == code
    assert visible(arrival.parent / "run") == set()
    assert visible(arrival) == before
    assert watched.asked == []


@pytest.mark.parametrize(("make", "kind"), HARMLESS.values(), ids=HARMLESS)
def test_made_harmless(arrival: Path, watched: Watched, make: Make, kind: str) -> None:
    file = make(arrival, watched.address)
    before = visible(arrival)
    result = run(IntakeConfig(file=file), arrival.parent / "run")
    assert result.kind == kind
    assert visible(arrival.parent / "run") == {result.file, result.poster, result.filmstrip} - {""}
    assert visible(arrival) == before
    check = check_video if kind == "video" else check_photo
    check(arrival.parent / "run" / result.file, result)
    assert watched.asked == []


def check_video(path: Path, result: IntakeResult) -> None:
    """It is all that the studio promises of a video."""
    with av.open(str(path)) as opened:
        assert [track.type for track in opened.streams] == ["video", *(["audio"] if result.has_sound else [])]
        stream = opened.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert not stream.width % 2
        assert not stream.height % 2
        assert (stream.sample_aspect_ratio or 1) == 1
        frames = list(opened.decode(stream))
        assert all(not frame.rotation for frame in frames)
        times = [frame.pts * float(stream.time_base) for frame in frames]
        assert times == pytest.approx([index / result.fps for index in range(result.frames)], abs=1e-3)
        known = {name: value for track in opened.streams for name, value in track.metadata.items()}
        assert {**opened.metadata, **known}.keys() <= {
            *("major_brand", "minor_version", "compatible_brands", "encoder", "language", "handler_name", "vendor_id"),
        }
        assert not {"secret", "<script>"} & {*opened.metadata.values(), *known.values()}
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"Lavf" not in content


def check_photo(path: Path, result: IntakeResult) -> None:
    """It is pixels and nothing else."""
    with Image.open(path) as photo:
        assert photo.size == (result.width, result.height)
        assert photo.mode == "RGB"
        assert not photo.getexif()
        assert set(photo.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert getattr(photo, "n_frames", 1) == 1
    assert b"outside.txt" not in path.read_bytes()

"""A conversion in parts: the same frames to the bit, the same sound, at the same times, whatever is cut where."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
import torch

from faceengine.conversion import chunks as borders_of
from faceengine.conversion import segments
from faceengine.conversion.chunks import Chunk, chunks
from faceengine.conversion.config import ConvertConfig, ConvertResult
from faceengine.conversion.convert import run
from faceengine.conversion.segments import JoinConfig, join, plan
from faceengine.errors import ConfigError, InputError
from faceengine.events import Message, Progress
from faceengine.video import VideoInfo, VideoWriter, probe, read_frames

SECONDS = 4


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small networks on a busy machine: more threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of a second instead of twenty, so that a short clip has several."""
    monkeypatch.setattr(borders_of, "SECONDS", 1.0)
    monkeypatch.setattr(borders_of, "WARM_UPS", (0.4, 0.8))
    monkeypatch.setattr(segments, "SHORTEST", 0.5)


def ffmpeg(path: Path, *arguments: str | Path) -> Path:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments), str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


@pytest.fixture(scope="module")
def clip_a(demo_a: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of person A: key frames every 30 frames, never at a border, and groups that look across."""
    path = tmp_path_factory.mktemp("clip") / "a.mp4"
    options = ("-g", "30", "-x264-params", "open-gop=1", "-preset", "veryfast", "-c:a", "copy")
    return ffmpeg(path, "-t", str(SECONDS), "-i", demo_a, *options)


def config(video: Path, model: Path, **settings: object) -> ConvertConfig:
    settings = {"direction": "a2b", "landmarks": "dlib", "device": "cpu", "label": "none"} | settings
    return ConvertConfig(video=video, model=model, **settings)  # type: ignore[arg-type]


def in_parts(settings: ConvertConfig, folder: Path) -> JoinConfig:
    """Convert every part of the plan by itself, the last one first, from JSON as a ledger keeps it."""
    parts = [ConvertConfig.from_dict(settings.to_dict() | changed) for changed in plan(settings)]
    made = [run(part, folder / f"{number}") for number, part in reversed(list(enumerate(parts)))]
    shared = {name: settings.to_dict()[name] for name in ("video", "name", "start", "end")}
    return JoinConfig.from_dict(shared | {"parts": [one.to_dict() for one in reversed(made)]})


def packets(path: Path, kind: str) -> list[tuple[float, float, bytes]]:
    with av.open(str(path)) as container:
        found = [one for one in container.demux(**{kind: 0}) if one.size]  # type: ignore[arg-type]
        return [(float(one.pts * one.time_base), float(one.dts * one.time_base), bytes(one)) for one in found]


def pictures(path: Path) -> list[bytes]:
    return [frame.image.tobytes() for frame in read_frames(path)]


def described(path: Path) -> VideoInfo:
    """What is known of the video, its length to the millisecond, as its header has it."""
    info = probe(path)
    return dataclasses.replace(info, duration=round(info.duration, 2))


# -- the same as undivided -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    "settings", [{"label": "both"}, {"smoothing": 1.0, "layout": "triple", "batch": 7, "start": 10, "end": 83}]
)
def test_a_conversion_in_parts_is_the_undivided_one(
    tiny_run: Path, clip_a: Path, tmp_path: Path, settings: dict[str, object]
) -> None:
    """Without loss, so that what is compared is what was drawn and not what an encoder made of it."""
    lossless = config(clip_a, tiny_run, crf=0, **settings)
    undivided = run(lossless, tmp_path / "undivided")
    joining = in_parts(lossless, tmp_path)
    joined = join(joining, tmp_path / "joined")
    assert len(joining.parts) >= 3
    assert (joined.frames, joined.swapped) == (undivided.frames, undivided.swapped)
    assert pictures(joined.path) == pictures(undivided.path)
    assert [path.name for path in joined.path.parent.iterdir()] == ["result.mp4"]


@pytest.mark.usefixtures("short")
def test_times_and_sound_are_those_of_the_undivided_one(tiny_run: Path, clip_a: Path, tmp_path: Path) -> None:
    settings = config(clip_a, tiny_run)
    undivided, joined = run(settings, tmp_path / "undivided"), join(in_parts(settings, tmp_path), tmp_path / "joined")
    assert packets(joined.path, "audio") == packets(undivided.path, "audio") != []
    for which in (0, 1):
        ours, theirs = ([one[which] for one in packets(path, "video")] for path in (joined.path, undivided.path))
        assert sorted(ours) == sorted(theirs)
    assert described(joined.path) == described(undivided.path)
    for one, other in zip(read_frames(joined.path), read_frames(undivided.path), strict=True):
        assert one.time == other.time
        assert np.abs(one.image.astype(int) - other.image).mean() < 2


SOURCES: dict[str, list[str]] = {
    "no sound.mp4": ["-an"],
    "29.97.mp4": ["-r", "30000/1001", "-c:a", "copy"],
    "23.976.mp4": ["-r", "24000/1001", "-c:a", "copy"],
    "sound that mp4 can't hold.mov": ["-c:a", "pcm_s16le"],
    "variable rate.mp4": ["-vf", "select='not(between(mod(n,10),3,6))'", "-fps_mode", "vfr", "-c:a", "copy"],
    "late sound.mp4": ["-af", "adelay=700:all=1,atrim=start=0.7,asetpts=PTS", "-c:a", "aac"],
    "stream.ts": ["-c:a", "aac"],
}


@pytest.mark.parametrize("name", SOURCES)
def test_videos_of_all_kinds_are_joined_as_they_would_be_written(clip_a: Path, tmp_path: Path, name: str) -> None:
    """What the writer makes in one go and in three parts, from pictures alone."""
    source = ffmpeg(tmp_path / name, "-i", clip_a, *SOURCES[name], "-c:v", "libx264", "-preset", "ultrafast")
    info = probe(source)
    frames = [frame.image for frame in read_frames(source, constant_rate=True)]

    def write(path: Path, images: list[np.ndarray], sound: Path | None) -> ConvertResult:  # type: ignore[type-arg]
        with VideoWriter(path, info.width, info.height, info.fps, audio_from=sound, crf=0) as writer:
            for image in images:
                writer.write(image)
        return ConvertResult(path, len(images), len(images), 1.0, stopped=False)

    whole = write(tmp_path / "whole.mp4", frames, source).path
    cuts = itertools.pairwise([0, 31, 32, len(frames)])
    parts = tuple(write(tmp_path / f"{start}.mp4", frames[start:end], None) for start, end in cuts)
    joined = join(JoinConfig(source, parts=parts), tmp_path / "joined").path
    assert packets(joined, "video")[0][:2] == packets(whole, "video")[0][:2]
    assert sorted(one[0] for one in packets(joined, "video")) == sorted(one[0] for one in packets(whole, "video"))
    assert pictures(joined) == pictures(whole)
    assert described(joined) == described(whole)
    if info.has_audio:
        assert packets(joined, "audio") == packets(whole, "audio")


# -- the plan --------------------------------------------------------------------------------------------------------


def blank(path: Path, seconds: float, fps: str = "5") -> Path:
    return ffmpeg(path, "-f", "lavfi", "-i", f"color=gray:s=32x32:r={fps}:d={seconds}", "-preset", "ultrafast")


@pytest.mark.parametrize(
    ("seconds", "lengths"),
    [(29, []), (34, []), (36, [20, 16]), (50, [20, 30]), (100, [20] * 5), (1000, [40] * 25), (3600, [60] * 60)],
)
def test_parts_last_a_quarter_of_a_minute_to_a_minute(tmp_path: Path, seconds: int, lengths: list[int]) -> None:
    planned = plan(config(blank(tmp_path / "v.mp4", seconds), tmp_path))
    ends = [part["end"] or seconds * 5 for part in planned]
    assert [(end - part["start"]) / 5 for part, end in zip(planned, ends, strict=True)] == lengths
    assert [part["start"] for part in planned[1:]] == ends[:-1]
    assert all(part["end"] is None for part in planned[-1:])
    assert len({part["name"] for part in planned}) == len(planned)


def test_a_part_of_a_video_is_cut_at_the_whole_ones_borders(tmp_path: Path) -> None:
    video = blank(tmp_path / "v.mp4", 100)
    planned = plan(config(video, tmp_path, start=20, end=320))
    assert [(part["start"], part["end"]) for part in planned] == [(20, 100), (100, 200), (200, 320)]
    assert plan(config(video, tmp_path, start=20, end=140)) == []


def test_planning_and_joining_need_no_torch() -> None:
    code = "import sys, faceengine.conversion.segments; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_chunks_follow_on_each_other_and_learn_from_before() -> None:
    fps = Fraction(25)
    assert list(chunks(0, 700, fps)) == [Chunk(0, 500, (0,)), Chunk(500, 700, (470, 375))]
    assert list(chunks(10, 400, fps)) == [Chunk(10, 400, (0,))]
    assert [chunk.start for chunk in itertools.islice(chunks(1000, None, fps), 3)] == [1000, 1500, 2000]


# -- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.fixture
def two_parts(tmp_path: Path) -> tuple[ConvertResult, ConvertResult]:
    made = [blank(tmp_path / f"{number}.mp4", 5) for number in range(2)]
    first, second = (ConvertResult(path, 25, 25, 1.0, stopped=False) for path in made)
    return first, second


def refused(code: str, settings: JoinConfig, folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        join(settings, folder)
    assert caught.value.code == code
    assert list(folder.iterdir()) == []


def test_parts_that_lack_frames_or_differ_are_refused(
    two_parts: tuple[ConvertResult, ConvertResult], tmp_path: Path
) -> None:
    first, second = two_parts
    lacking = ConvertResult(second.path, 26, 25, 1.0, stopped=False)
    refused("join.parts", JoinConfig(first.path, parts=(first, lacking)), tmp_path / "out")
    other = ConvertResult(blank(tmp_path / "other.mp4", 1, "30"), 30, 30, 1.0, stopped=False)
    refused("join.parts", JoinConfig(first.path, parts=(first, other)), tmp_path / "out")
    gone = ConvertResult(tmp_path / "gone.mp4", 25, 25, 1.0, stopped=False)
    refused("video.missing", JoinConfig(first.path, parts=(first, gone)), tmp_path / "out")
    with pytest.raises(ConfigError):
        JoinConfig(first.path)


def test_only_all_parts_without_the_person_are_refused(  # type: ignore[no-untyped-def]
    two_parts: tuple[ConvertResult, ConvertResult], tmp_path: Path, heard
) -> None:
    first, second = two_parts
    nobody = tuple(ConvertResult(part.path, 25, 0, 1.0, stopped=False) for part in two_parts)
    assert join(JoinConfig(first.path, parts=(nobody[0], second)), tmp_path / "one").swapped == 25
    refused("convert.no_person", JoinConfig(first.path, parts=nobody), tmp_path / "out")
    assert join(JoinConfig(first.path, end=50, parts=nobody), tmp_path / "range", on_event=heard).frames == 50
    assert [event.code for event in heard.events if isinstance(event, Message)] == [
        "convert.no_person",
        "marks.done",
    ]
    assert [event for event in heard.events if isinstance(event, Progress)][-1].done == 50


def test_a_join_that_is_stopped_leaves_what_was_there(
    two_parts: tuple[ConvertResult, ConvertResult], tmp_path: Path
) -> None:
    asked = itertools.count()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.mp4").write_bytes(b"an earlier result")
    settings = JoinConfig(two_parts[0].path, parts=two_parts)
    assert join(settings, tmp_path / "out", should_stop=lambda: next(asked) >= 30).stopped
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["result.mp4"]
    assert (tmp_path / "out" / "result.mp4").read_bytes() == b"an earlier result"

"""Each stored frame once and at its time, and the sound in step, whatever the clock of the file does."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from faceengine.errors import InputError
from faceengine.extraction.sources import find_sources, shots
from faceengine.video import probe, read_frames, remarks
from faceengine.video.steady import make_grid
from tests.engine.marks import CASES, beeps, numbers, sound_length
from tests.engine.taken import rewrite, take_in
from tests.hostile.videos import ffmpeg

NUMBERED = CASES / "half_frame_25.mp4"


def taken(file: Path, folder: Path) -> Path:
    return take_in(file, folder / "run").path


WAYS = {"intake": taken, "convert": lambda file, folder: rewrite(file, folder / "written.mp4")}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[[Path, Path], Path]:
    """What an upload becomes, and what a conversion writes."""
    return WAYS[request.param]


Way = Callable[[Path, Path], Path]


def test_joined_recordings_follow_each_other(way: Way, tmp_path: Path) -> None:
    made = way(CASES / "joined_clock_restarts.ts", tmp_path)
    assert numbers(made) == list(range(50))
    assert probe(made).fps == 25
    assert beeps(made) == pytest.approx([0, 1], abs=0.03)
    assert sound_length(made) == pytest.approx(2, abs=0.04)


def test_half_a_frame_beside_the_sound(way: Way, tmp_path: Path) -> None:
    made = way(NUMBERED, tmp_path)
    assert numbers(made) == list(range(40))
    assert beeps(made) == pytest.approx([0, 0.98], abs=0.03)


def test_sound_that_begins_later(way: Way, tmp_path: Path) -> None:
    made = way(CASES / "sound_begins_later.ts", tmp_path)
    assert numbers(made) == list(range(40))
    assert beeps(made) == pytest.approx([0.5, 1.5], abs=0.03)


def test_a_size_that_changes(way: Way, tmp_path: Path) -> None:
    made = way(CASES / "size_changes.mkv", tmp_path)
    assert numbers(made) == list(range(40))
    assert beeps(made) == pytest.approx([0, 1], abs=0.03)


def test_an_edit_list_shows_a_part(way: Way, tmp_path: Path) -> None:
    made = way(CASES / "trimmed_by_edit_list.mp4", tmp_path)
    assert numbers(made) == list(range(15, 35))
    assert beeps(made) == pytest.approx([0.4], abs=0.03)


def test_an_edit_list_is_no_cut_off_file(tmp_path: Path) -> None:
    file = CASES / "trimmed_by_edit_list.mp4"
    assert probe(file).frames == 20
    assert take_in(file, tmp_path / "run").codes == []
    sources = find_sources([file], tmp_path / "out")
    assert [shot.index for shot in shots(sources, {sources[0].name: 0}, 1) if not shot.last] == list(range(20))


def test_sound_that_begins_earlier_is_cut_and_that_is_said(way: Way, tmp_path: Path) -> None:
    late = tmp_path / "late.mkv"
    maps = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    ffmpeg("-itsoffset", "0.5", "-i", str(NUMBERED), "-i", str(NUMBERED), *maps, str(late))
    made = way(late, tmp_path)
    assert numbers(made) == list(range(40))
    assert beeps(made) == pytest.approx([0.48], abs=0.03)
    assert [remark.code for remark in remarks(late)] == ["video.sound_before"]


def shifted(source: Path, path: Path, ticks: int) -> Path:
    """A transport stream with all its clocks moved by ``ticks`` of 90 kHz, in 33 bits."""
    data = bytearray(source.read_bytes())

    def move(at: int) -> None:
        stamp = (data[at] >> 1 & 7) << 30 | data[at + 1] << 22 | data[at + 2] >> 1 << 15
        stamp = (stamp | data[at + 3] << 7 | data[at + 4] >> 1) + ticks & (1 << 33) - 1
        data[at] = data[at] & 0xF1 | stamp >> 30 << 1
        data[at + 1], data[at + 2] = stamp >> 22 & 255, stamp >> 15 << 1 & 255 | 1
        data[at + 3], data[at + 4] = stamp >> 7 & 255, stamp << 1 & 255 | 1

    for packet in range(0, len(data), 188):
        payload = packet + 4
        if data[packet + 3] & 0x20:
            if data[payload] and data[payload + 1] & 0x10:
                clock = int.from_bytes(data[payload + 2 : payload + 7]) >> 7
                rest = data[payload + 6] & 0x7F
                moved = (clock + ticks & (1 << 33) - 1) << 7 | rest
                data[payload + 2 : payload + 7] = moved.to_bytes(5)
            payload += 1 + data[payload]
        begins = data[packet + 1] & 0x40 and data[payload : payload + 3] == b"\0\0\1"
        if begins and 0xC0 <= data[payload + 3] < 0xF0:
            stamps = data[payload + 7] >> 6
            for number in range({2: 1, 3: 2}.get(stamps, 0)):
                move(payload + 9 + 5 * number)
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stream") / "plain.ts"
    ffmpeg("-i", str(NUMBERED), "-c", "copy", str(path))
    return path


def test_a_clock_of_33_bits_that_wraps(way: Way, stream: Path, tmp_path: Path) -> None:
    made = way(shifted(stream, tmp_path / "wraps.ts", (1 << 33) - 2 * 90_000), tmp_path)
    assert numbers(made) == list(range(40))
    assert beeps(made) == pytest.approx([0, 0.98], abs=0.03)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_ahead_or_back(way: Way, stream: Path, tmp_path: Path, hours: int) -> None:
    other = shifted(stream, tmp_path / "other.ts", 3600 * 90_000)
    parts = [stream, other][::hours]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    made = way(joined, tmp_path)
    assert numbers(made) == [*range(40), *range(40)]
    assert beeps(made) == pytest.approx([0, 0.98, 1.6, 2.58], abs=0.03)


def test_joined_matroska_files(way: Way, tmp_path: Path) -> None:
    ffmpeg("-i", str(NUMBERED), "-c", "copy", str(tmp_path / "one.mkv"))
    joined = tmp_path / "joined.mkv"
    joined.write_bytes((tmp_path / "one.mkv").read_bytes() * 2)
    made = way(joined, tmp_path)
    assert numbers(made) == [*range(40), *range(40)]
    assert beeps(made) == pytest.approx([0, 0.98, 1.6, 2.58], abs=0.03)


def test_joined_mp4_files_are_refused(tmp_path: Path) -> None:
    joined = tmp_path / "joined.mp4"
    joined.write_bytes(NUMBERED.read_bytes() * 2)
    with pytest.raises(InputError) as refused:
        probe(joined)
    assert refused.value.code == "video.joined"


def test_a_clock_that_trembles(way: Way, tmp_path: Path) -> None:
    """Milliseconds, and each frame up to 14 of them beside its time."""
    file = tmp_path / "jitter.mkv"
    times = ("-vf", "settb=1/1000,setpts='PTS+14*(random(1)*2-1)'", "-enc_time_base", "1/1000")
    encoder = ("-fps_mode", "passthrough", "-c:v", "libx264", "-bf", "0", "-c:a", "copy")
    ffmpeg("-i", str(NUMBERED), *times, *encoder, str(file))
    made = way(file, tmp_path)
    assert probe(made).fps == 25
    assert numbers(made) == list(range(40))


def test_no_frame_of_a_changing_rate_is_lost(way: Way, tmp_path: Path) -> None:
    file = tmp_path / "changes.mkv"
    times = ("-vf", "settb=1/1000,setpts='if(lt(N,20),N/30,20/30+(N-20)/60)/TB'", "-enc_time_base", "1/1000")
    ffmpeg("-i", str(NUMBERED), *times, "-fps_mode", "passthrough", "-c:v", "libx264", "-an", str(file))
    made = way(file, tmp_path)
    assert probe(made).fps == 60
    assert numbers(made) == [*np.repeat(np.arange(20), 2), *range(20, 40)]


def test_stored_frames_keep_their_numbers(stream: Path, tmp_path: Path) -> None:
    """Extraction counts stored frames; joined recordings count on."""
    joined = tmp_path / "joined.ts"
    joined.write_bytes(stream.read_bytes() * 2)
    frames = list(read_frames(joined, every=10))
    assert [frame.index for frame in frames] == list(range(0, 80, 10))
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(0, 80, 10)], abs=1e-3)


@pytest.mark.parametrize(
    ("times", "fps", "places"),
    [
        (np.round(np.arange(900) * 1001 / 30000, 3), Fraction(30000, 1001), range(900)),
        (np.arange(300) / 29.83, Fraction(2983, 100), range(300)),
        ([0, 0.04, 0.08, 0.2, 0.24], 25, [0, 1, 2, 5, 6]),
        ([0, 0, 0.04, 0.08], 25, range(4)),
        ([5.0], 25, [0]),
    ],
    ids=["milliseconds", "odd rate", "gap", "same time twice", "one frame"],
)
def test_each_picture_has_a_place_of_its_own(times: list[float], fps: Fraction, places: range) -> None:
    grid = make_grid(np.array(times, float), Fraction(25))
    assert (grid.fps, grid.places.tolist()) == (fps, list(places))
    assert [grid.place(time) for time in times[-2:]] == list(places)[-2:]

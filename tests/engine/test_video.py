"""Videos in and out: exact frames, upright, true colours, sound bit by bit, one clear error for what can't be used."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image as Pillow

from faceengine.errors import InputError
from faceengine.files import partial
from faceengine.geometry import Image
from faceengine.video import VideoWriter, container, probe, read_frames, read_photo

Ffmpeg = Callable[..., Path]


@pytest.fixture
def ffmpeg(tmp_path: Path) -> Ffmpeg:
    """``ffmpeg("name.mp4", *arguments)``: run ffmpeg, give the file it made."""

    def make(name: str, *arguments: str | Path) -> Path:
        path = tmp_path / name
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments), str(path)]
        subprocess.run(command, check=True, timeout=60)
        return path

    return make


COUNTING = ("-f", "lavfi", "-i", "testsrc=size=160x120:rate=25:duration=1")
BEEP = ("-f", "lavfi", "-i", "sine=frequency=440:duration=1")


def sound(path: Path) -> tuple[int, str]:
    """Number of sound packets and a hash over their bytes."""
    digest, count = hashlib.sha256(), 0
    with av.open(str(path)) as container:
        for packet in container.demux(audio=0):
            if packet.size:
                digest.update(bytes(packet))
                count += 1
    return count, digest.hexdigest()


def codes(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        list(read_frames(path))
    return caught.value.code


def flat(colour: tuple[int, int, int], height: int = 64, width: int = 96) -> Image:
    return np.broadcast_to(np.array(colour, np.uint8), (height, width, 3)).copy()


def write(writer: VideoWriter, pictures: list[Image]) -> None:
    for picture in pictures:
        writer.write(picture)


# -- reading ---------------------------------------------------------------------------------------------------------


def test_probe_says_what_the_clip_is(short_a: Path) -> None:
    info = probe(short_a)
    assert (info.width, info.height, info.fps, info.frames) == (640, 480, Fraction(25), 50)
    assert info.has_audio
    assert info.rotation == 0
    assert not info.variable_rate
    assert info.duration == pytest.approx(2.0, abs=0.1)


def test_start_and_every_pick_exactly_those_frames(short_a: Path) -> None:
    everything = list(read_frames(short_a))
    picked = list(read_frames(short_a, start=7, every=6))
    assert [frame.index for frame in everything] == list(range(50))
    assert [frame.index for frame in picked] == list(range(7, 50, 6))
    for frame in picked:
        assert np.array_equal(frame.image, everything[frame.index].image)
        assert frame.time == pytest.approx(frame.index / 25, abs=1e-3)


def test_frames_stream(short_a: Path) -> None:
    frames = read_frames(short_a)
    first = next(frames)
    assert first.image.shape == (480, 640, 3)
    frames.close()  # type: ignore[attr-defined]  # a generator: the file is let go in the middle


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_applied_as_ffmpeg_does(ffmpeg: Ffmpeg, degrees: int) -> None:
    upright = ffmpeg("up.mp4", *COUNTING, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "10")
    turned = ffmpeg("turned.mp4", "-display_rotation", str(degrees), "-i", upright, "-c", "copy")
    info = probe(turned)
    assert info.rotation == degrees
    assert (info.width, info.height) == ((120, 160) if degrees % 180 else (160, 120))
    # Its default repeats the chroma of each two by two pixels.
    smooth = ("-sws_flags", "bilinear+accurate_rnd+full_chroma_int")
    still = ffmpeg("still.png", "-i", turned, "-frames:v", "1", *smooth)
    ours = next(read_frames(turned)).image
    assert np.abs(ours.astype(int) - read_photo(still)).mean() < 1


def test_anamorphic_pixels_become_square(ffmpeg: Ffmpeg) -> None:
    wide = ffmpeg("wide.mp4", *COUNTING, "-vf", "setsar=4/3", "-c:v", "libx264", "-pix_fmt", "yuv420p")
    assert (probe(wide).width, probe(wide).height) == (213, 120)
    assert next(read_frames(wide)).image.shape == (120, 213, 3)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
@pytest.mark.parametrize("span", ["tv", "pc"])
def test_tagged_colours_are_read_as_they_were_meant(ffmpeg: Ffmpeg, tmp_path: Path, matrix: str, span: str) -> None:
    picture = flat((200, 60, 90))
    still = tmp_path / "colour.png"
    Pillow.fromarray(picture).save(still)
    convert = (
        f"scale=out_color_matrix={matrix}:out_range={span},format=yuv420p,setparams=colorspace={matrix}:range={span}"
    )
    tags = ["-c:v", "libx264", "-crf", "4"]
    clip = ffmpeg("colour.mp4", "-loop", "1", "-t", "0.2", "-i", still, "-vf", convert, *tags)
    read = next(read_frames(clip)).image
    assert np.abs(read.astype(int) - picture).max() <= 3


def test_variable_rate_is_noticed_and_put_on_a_steady_grid(ffmpeg: Ffmpeg) -> None:
    """Half a second at 25 a second, then half a second in which only every fifth frame is there."""
    thinned = "select='lt(n,12)+not(mod(n,5))'"
    encode = ["-fps_mode", "vfr", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "10"]
    clip = ffmpeg("vfr.mp4", *COUNTING, "-vf", thinned, *encode)
    info = probe(clip)
    assert info.variable_rate
    assert info.fps == 25
    stored, steady = list(read_frames(clip)), list(read_frames(clip, constant_rate=True))
    assert len(stored) == 14
    assert [frame.index for frame in steady] == list(range(21))
    for frame in steady:
        assert frame.time == pytest.approx(frame.index / 25)
        shown = max((one for one in stored if one.time <= frame.time + 0.02), key=lambda one: one.time)
        assert np.array_equal(frame.image, shown.image)


def test_a_steady_video_is_the_same_with_constant_rate(short_a: Path) -> None:
    pairs = zip(read_frames(short_a), read_frames(short_a, constant_rate=True), strict=True)
    assert all(one.index == two.index and np.array_equal(one.image, two.image) for one, two in pairs)


SEEKABLE = {
    "open groups.mp4": ["-c:v", "libx264", "-g", "24", "-x264-params", "open-gop=1"],
    "open groups.ts": ["-c:v", "libx264", "-g", "24", "-x264-params", "open-gop=1"],
    "no whole key frames.mp4": ["-c:v", "libx264", "-g", "20", "-x264-params", "intra-refresh=1"],
    "no times.avi": ["-c:v", "mpeg4", "-bf", "2"],
    "variable rate.mp4": ["-vf", "select='not(between(mod(n,10),3,6))'", "-fps_mode", "vfr", "-c:v", "libx264"],
}


@pytest.mark.parametrize("name", SEEKABLE)
def test_beginning_in_the_middle_gives_the_same_frames(ffmpeg: Ffmpeg, demo_a: Path, name: str) -> None:
    path = ffmpeg(name, "-t", "3", "-i", demo_a, *SEEKABLE[name])
    fps = probe(path).fps
    whole = [(one.index, one.time, one.image.tobytes()) for one in read_frames(path, constant_rate=True)]
    assert len(whole) == probe(path).steady_frames
    for start in (1, 30, 49, 74, 90):
        part = read_frames(path, start=start, constant_rate=True, fps=fps)
        assert [(one.index, one.time, one.image.tobytes()) for one in part] == whole[start:]


def test_a_jump_in_time_is_refused_rather_than_filled(ffmpeg: Ffmpeg) -> None:
    gap = "setpts='if(lt(N,10),N,N+2500)/25/TB'"
    clip = ffmpeg("gap.mkv", *COUNTING, "-vf", gap, "-fps_mode", "vfr", "-c:v", "libx264")
    with pytest.raises(InputError) as caught:
        list(read_frames(clip, constant_rate=True))
    assert caught.value.code == "video.gap"


def test_what_cannot_be_read_has_a_code(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    empty, noise = tmp_path / "empty.mp4", tmp_path / "noise.mp4"
    empty.touch()
    noise.write_bytes(np.random.default_rng(0).bytes(5000))
    assert codes(tmp_path / "nowhere.mp4") == "video.missing"
    assert codes(tmp_path) == "video.missing"
    assert codes(empty) == "video.empty"
    assert codes(noise) == "video.unreadable"
    assert codes(ffmpeg("sound.mp4", *BEEP)) == "video.no_frames"


def test_a_playlist_named_mp4_does_not_reach_its_neighbour(tmp_path: Path, short_a: Path) -> None:
    (tmp_path / "neighbour.mp4").write_bytes(short_a.read_bytes())
    trap = tmp_path / "trap.mp4"
    trap.write_text("ffconcat version 1.0\nfile neighbour.mp4\n")
    assert codes(trap) == "video.unreadable"


def test_a_codec_that_is_not_listed_is_refused(ffmpeg: Ffmpeg) -> None:
    assert codes(ffmpeg("odd.avi", *COUNTING, "-c:v", "ffv1")) == "video.unreadable"


def test_a_cut_off_video_gives_its_whole_frames(short_a: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    whole = ffmpeg("fast.mp4", "-i", short_a, "-c", "copy", "-movflags", "+faststart")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    frames = list(read_frames(cut))
    assert 5 < len(frames) < 45
    assert probe(cut).frames == 50
    assert np.array_equal(frames[3].image, next(read_frames(short_a, start=3)).image)


def test_a_video_cut_off_before_its_first_frame_is_an_error(short_a: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    whole = ffmpeg("fast.mp4", "-i", short_a, "-c", "copy", "-movflags", "+faststart").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: whole.index(b"mdat") + 40])
    assert codes(cut) in ("video.no_frames", "video.truncated")


# -- photos ----------------------------------------------------------------------------------------------------------


def test_a_photo_is_turned_upright(tmp_path: Path) -> None:
    picture = Pillow.new("RGB", (40, 20), (10, 20, 30))
    picture.paste((200, 0, 0), (0, 0, 20, 20))
    exif = Pillow.Exif()
    exif[274] = 6  # show it turned by 90° clockwise
    picture.save(tmp_path / "turned.png", exif=exif)
    upright = read_photo(tmp_path / "turned.png")
    assert upright.shape == (40, 20, 3)
    assert tuple(upright[2, 10]) == (200, 0, 0)
    assert tuple(upright[38, 10]) == (10, 20, 30)


def test_a_16_bit_grey_photo_keeps_its_brightness(tmp_path: Path) -> None:
    Pillow.fromarray(np.full((8, 8), 32768, np.uint16)).save(tmp_path / "deep.png")
    assert read_photo(tmp_path / "deep.png")[0, 0].tolist() == [127, 127, 127]


def test_a_photo_of_200_megapixels_is_refused_from_its_header(tmp_path: Path) -> None:
    Pillow.new("1", (20_000, 10_000)).save(tmp_path / "huge.png")
    started = time.process_time()
    with pytest.raises(InputError) as caught:
        read_photo(tmp_path / "huge.png")
    assert caught.value.code == "photo.too_large"
    assert time.process_time() - started < 0.5  # decoding it takes more than a second


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"<html></html>", b"\x89PNG\r\n\x1a\n0000"])
def test_a_broken_photo_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_photo(tmp_path / "x.jpg")
    assert caught.value.code == "photo.unreadable"


# -- writing ---------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_back(short_a: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    frames = [frame.image for frame in islice(read_frames(short_a), 20)]
    with VideoWriter(out, 640, 480, Fraction(25), crf=8) as writer:
        for frame in frames:
            writer.write(frame)
    back = [frame.image for frame in read_frames(out)]
    assert len(back) == 20
    difference = np.stack(back).astype(float) - np.stack(frames)
    assert np.abs(difference.mean(axis=(0, 1, 2))).max() < 0.25  # no shift of any colour
    assert np.abs(difference).mean() < 1.5
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("height", [480, 720])
def test_colours_keep_from_end_to_end(tmp_path: Path, height: int) -> None:
    for number, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128), (230, 180, 150)]):
        picture, out = flat(colour, height, 320), tmp_path / f"{number}.mp4"
        with VideoWriter(out, 320, height, 25) as writer:
            writer.write(picture)
        back = next(read_frames(out)).image
        assert np.abs(back.astype(int) - picture).max() <= 3, colour


def test_the_file_says_its_colours_and_starts_fast(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with VideoWriter(out, 1280, 720, 25) as writer:
        writer.write(flat((9, 9, 9), 720, 1280))
    with av.open(str(out)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert context.pix_fmt == "yuv420p"
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_sound_is_copied_bit_by_bit(short_a: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with VideoWriter(out, 640, 480, 25, audio_from=short_a) as writer:
        for frame in read_frames(short_a):
            writer.write(frame.image)
    assert sound(out) == sound(short_a)
    assert sound(out)[0] > 10


def test_sound_that_mp4_cannot_hold_is_encoded(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = ffmpeg("pcm.mkv", *COUNTING, *BEEP, "-c:v", "libx264", "-c:a", "pcm_s16le")
    out = tmp_path / "out.mp4"
    with VideoWriter(out, 160, 120, 25, audio_from=source) as writer:
        for frame in read_frames(source):
            writer.write(frame.image)
    with av.open(str(out)) as container:
        track = container.streams.audio[0]
        assert track.codec_context.name == "aac"
        assert float(track.duration * track.time_base) == pytest.approx(1.0, abs=0.06)


def test_a_video_without_sound_gives_one_without_sound(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    silent = ffmpeg("silent.mp4", *COUNTING, "-c:v", "libx264")
    with VideoWriter(tmp_path / "out.mp4", 160, 120, 25, audio_from=silent) as writer:
        writer.write(flat((1, 2, 3), 120, 160))
    assert not probe(tmp_path / "out.mp4").has_audio


def test_an_odd_size_gains_the_last_row_and_column_again(tmp_path: Path) -> None:
    rows = np.linspace(0, 250, 61).astype(np.uint8)
    picture = np.repeat(np.repeat(rows[:, None, None], 83, axis=1), 3, axis=2)
    with VideoWriter(tmp_path / "odd.mp4", 83, 61, 25, crf=4) as writer:
        writer.write(picture)
    back = next(read_frames(tmp_path / "odd.mp4")).image
    assert back.shape == (62, 84, 3)
    assert np.abs(back[:61, :83].astype(int) - picture).max() <= 4
    assert np.abs(back[61].astype(int) - 250).max() <= 4


def test_an_exception_leaves_no_file_and_keeps_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"what was there")
    with pytest.raises(ValueError, match="expected"), VideoWriter(out, 96, 64, 25) as writer:
        write(writer, [flat((1, 1, 1)), flat((1, 1, 1), 60)])
    assert out.read_bytes() == b"what was there"
    assert list(tmp_path.iterdir()) == [out]


def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    """The part is a link to ``/dev/full``, which fails every write as a full disk does."""
    out = tmp_path / "out.mp4"
    partial(out).symlink_to("/dev/full")
    noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    with pytest.raises(InputError) as caught, VideoWriter(out, 96, 64, 25) as writer:
        write(writer, [noise] * 200)
    assert caught.value.code == "disk.full"
    assert list(tmp_path.iterdir()) == []


def test_a_failed_encoder_speaks_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught, VideoWriter(tmp_path / "no" / "out.mp4", 96, 64, 25) as writer:
        write(writer, [flat((1, 1, 1))] * 200)
    assert caught.value.code == "video.encode"
    assert "No such file or directory" in str(caught.value)


def test_every_reader_has_the_lists() -> None:
    assert set(container.READER) == {"protocol_whitelist", "format_whitelist", "codec_whitelist"}
    assert container.READER["protocol_whitelist"] == "file"

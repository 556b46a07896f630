"""What people really have is read whole; what isn't is told; one bad file stops nothing."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from faceengine.errors import InputError
from faceengine.events import Message
from faceengine.extraction.sources import find_sources, shots
from faceengine.video import probe, read_photo, remarks
from tests.engine.conftest import Heard
from tests.engine.marks import CASES, beeps, numbers
from tests.engine.taken import rewrite, take_in
from tests.hostile.videos import ffmpeg

NUMBERED = CASES / "half_frame_25.mp4"
ODD_EXIF = ["exif_rational_minus_one_by_zero", "exif_text_where_a_number_belongs", "exif_number_that_is_none"]
NOT_UTF8 = b"\xd6\xd0"


@pytest.mark.parametrize("name", ODD_EXIF)
def test_odd_exif_costs_no_photo(tmp_path: Path, name: str) -> None:
    image = read_photo(CASES / f"{name}.jpg")
    assert image.shape == (480, 640, 3)
    made = take_in(CASES / f"{name}.jpg", tmp_path / "run")
    assert (made.result.width, made.result.height) == (640, 480)
    assert np.abs(read_photo(made.path).astype(int) - image).mean() < 1


def test_a_jpeg_without_its_end_is_read_whole(tmp_path: Path) -> None:
    image = read_photo(CASES / "jpeg_without_end_mark.jpg")
    assert image.shape == (480, 640, 3)
    assert take_in(CASES / "jpeg_without_end_mark.jpg", tmp_path / "run").result.width == 640


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_pixels_is_refused(tmp_path: Path, progressive: bool) -> None:
    path = tmp_path / "torn.jpg"
    Pillow.effect_noise((320, 240), 80).save(path, progressive=progressive)
    whole, image = path.read_bytes(), read_photo(path)
    path.write_bytes(whole[:-2])
    assert np.array_equal(read_photo(path), image)
    path.write_bytes(whole[:-2] + bytes(4096))  # as recovery programs and full cards leave it
    assert np.array_equal(read_photo(path), image)
    for lost in (60, len(whole) // 2):
        path.write_bytes(whole[:-lost])
        with pytest.raises(InputError) as refused:
            read_photo(path)
        assert refused.value.code == "photo.unreadable"


def test_tiled_heic_is_read_whole(tmp_path: Path) -> None:
    image = read_photo(CASES / "tiled.heic")
    assert image.shape == (1536, 1024, 3)
    assert min(image[:512].std(), image[-512:].std()) > 10
    made = take_in(CASES / "tiled.heic", tmp_path / "run")
    assert made.path.suffix == ".jpg"
    assert np.abs(read_photo(made.path).astype(int) - image).mean() < 3
    sources = find_sources([CASES / "tiled.heic"], tmp_path / "out")
    assert [source.video for source in sources] == [False]


SOUNDS = {
    "pcm_s24be": "mov",
    "pcm_f32le": "mov",
    "pcm_mulaw": "mov",
    "alac": "mov",
    "mp2": "ts",
    "eac3": "ts",
    "ac3": "mkv",
    "dca": "mkv",
    "flac": "mkv",
    "libopus": "mkv",
    "adpcm_ima_wav": "avi",
}


@pytest.mark.parametrize("codec", SOUNDS)
def test_sound_of_every_kind_is_kept(tmp_path: Path, codec: str) -> None:
    path = tmp_path / f"a.{SOUNDS[codec]}"
    ffmpeg("-i", str(NUMBERED), "-c:v", "copy", "-strict", "-2", "-c:a", codec, str(path))
    made = take_in(path, tmp_path / "run")
    assert made.codes == ["video.sound_encoded"]
    # AVI says no times: its pictures begin with the sound.
    assert beeps(made.path)[-1] == pytest.approx(0.98, abs=0.1 if SOUNDS[codec] == "avi" else 0.03)


@pytest.mark.parametrize("name", ["sound_pcm_s16be.mov", "sound_pcm_s24le.mov", "sound_ac3.MTS"])
def test_what_cameras_record(tmp_path: Path, name: str) -> None:
    made = take_in(CASES / name, tmp_path / "run")
    assert made.result.has_sound
    assert made.codes == ["video.sound_encoded"]
    for path in (made.path, rewrite(CASES / name, tmp_path / "written.mp4")):
        assert numbers(path) == list(range(20))
        assert beeps(path) == pytest.approx([0], abs=0.03)
        with av.open(str(path)) as container:
            assert container.streams.audio[0].codec_context.name == "aac"


def test_sound_that_nobody_reads_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    ffmpeg("-i", str(NUMBERED), "-c:v", "copy", "-ar", "8000", "-ac", "1", "-c:a", "real_144", str(path))
    made = take_in(path, tmp_path / "run")
    assert not made.result.has_sound
    assert made.codes == ["video.sound_left_out"]
    assert made.result.frames == 40
    assert not probe(rewrite(path, tmp_path / "written.mp4")).has_audio


def test_other_tracks_and_a_cover(tmp_path: Path) -> None:
    """Two sounds, a cover before the pictures, and subtitles."""
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    inputs = ("-i", str(CASES / "jpeg_without_end_mark.jpg"), "-i", str(NUMBERED), "-i", str(tmp_path / "a.srt"))
    maps = ("-map", "0:v", "-map", "1:v", "-map", "1:a", "-map", "1:a", "-map", "2")
    codecs = ("-c", "copy", "-c:s", "mov_text", "-disposition:v:0", "attached_pic")
    path = tmp_path / "a.mp4"
    ffmpeg(*inputs, *maps, *codecs, str(path))
    made = take_in(path, tmp_path / "run")
    assert numbers(made.path) == list(range(40))
    assert made.codes == ["video.sound_tracks"]


def test_names_of_any_bytes(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/photos"))
    folder.mkdir()
    photo = Path(os.fsdecode(os.fsencode(folder) + b"/" + NOT_UTF8 + b".jpg"))
    photo.write_bytes((CASES / "jpeg_without_end_mark.jpg").read_bytes())
    sources = find_sources([folder], tmp_path / "out")
    assert [source.name for source in sources] == [f"{folder}/\\xd6\\xd0.jpg"]
    assert [shot.error for shot in shots(sources, {sources[0].name: 0}, 1)] == [None, None]
    video = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + NOT_UTF8 + b".mp4"))
    video.write_bytes(NUMBERED.read_bytes())
    assert numbers(rewrite(video, tmp_path / "written.mp4")) == list(range(40))
    assert list(remarks(video)) == []


def test_a_folder_of_everything(tmp_path: Path, heard: Heard) -> None:
    folder = tmp_path / "photos"
    photo = (CASES / "jpeg_without_end_mark.jpg").read_bytes()
    for name in ("a.jfif", "b.jpe", "sub/c.JPG", "without_ending", "torn.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(photo if name != "torn.jpg" else photo[:3000])
    (folder / "d.heic").write_bytes((CASES / "tiled.heic").read_bytes())
    for name in (".Trashes/x.jpg", "@eaDir/y.jpg", "__MACOSX/._a.jpg", "._a.jpg", ".hidden.jpg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(photo)
    for name in ("a.gif", "b.tif", "c.tif", "notes", "clip.mp4"):
        (folder / name).write_bytes(b"none of ours, whatever its name is")
    (folder / "broken.jpg").symlink_to("nowhere")
    sources = find_sources([folder], tmp_path / "out", heard)
    names = [source.path.relative_to(folder).as_posix() for source in sources]
    assert names == ["a.jfif", "b.jpe", "d.heic", "sub/c.JPG", "torn.jpg", "without_ending"]
    (told,) = [event for event in heard.events if isinstance(event, Message)]
    assert told.code == "extract.passed_over"
    for words in ("6 files", "2 .tif", "1 .gif", "1 .mp4", "1 without an ending", "1 broken links"):
        assert words in told.text
    errors = [shot.error for shot in shots(sources, {source.name: 0 for source in sources}, 1) if not shot.last]
    assert [error is not None for error in errors] == [name == "torn.jpg" for name in names]


def test_a_folder_of_other_files_only_says_what_it_holds(tmp_path: Path, heard: Heard) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.tif").write_bytes(b"II*\0")
    with pytest.raises(InputError) as refused:
        find_sources([tmp_path / "photos"], tmp_path / "out", heard)
    assert refused.value.code == "extract.empty_folder"
    assert [event.code for event in heard.events if isinstance(event, Message)] == ["extract.passed_over"]


def test_a_photo_that_cannot_be_opened_stops_no_folder(
    tmp_path: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may open everything, so the refusal is made here."""
    from faceengine.extraction import sources as module

    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes((CASES / "jpeg_without_end_mark.jpg").read_bytes() + name.encode())
    real = module.sha256

    def sha256(path: Path) -> str:
        if path.name == "a.jpg":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(module, "sha256", sha256)
    assert [source.path.name for source in find_sources([folder], tmp_path / "out", heard)] == ["b.jpg"]
    assert [event.code for event in heard.events if isinstance(event, Message)] == ["extract.bad_photo"]


def test_pictures_missing_from_an_index_are_told(tmp_path: Path) -> None:
    """Also where they are few."""
    path = tmp_path / "cut.mp4"
    ffmpeg("-i", str(NUMBERED), "-c", "copy", "-movflags", "+faststart", str(path))
    path.write_bytes(path.read_bytes()[:-6000])
    made = take_in(path, tmp_path / "run")
    assert probe(path).frames == 40
    assert made.result.frames < 40
    assert made.codes == ["video.truncated"]

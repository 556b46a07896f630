"""Bad input: one clear line, a non-zero exit, nothing lost that was there, nothing half-written left behind."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import imageio_ffmpeg
import pytest
from PIL import Image

from faceengine.cli import main
from faceengine.faceset import FaceSet
from faceengine.files import only_process

Command = list[object]


@dataclass(frozen=True)
class Place:
    """A folder to work in, and the good things that bad ones are made from."""

    folder: Path
    clip: Path
    faces_a: Path
    faces_b: Path
    run: Path

    def copy(self, thing: Path, name: str) -> Path:
        """A copy that a test may spoil."""
        target = self.folder / name
        if thing.is_dir():
            shutil.copytree(thing, target)
        else:
            shutil.copy(thing, target)
        return target

    def ffmpeg(self, name: str, *words: object) -> Path:
        """Make a clip with ffmpeg."""
        path = self.folder / name
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *map(str, words), str(path)]
        subprocess.run(command, check=True, timeout=60)
        return path


@pytest.fixture
def place(tmp_path: Path, short_a: Path, faces_a: Path, faces_b: Path, tiny_run: Path) -> Place:
    return Place(tmp_path, short_a, faces_a, faces_b, tiny_run)


def contents(*folders: Path) -> dict[Path, str]:
    """Every file in ``folders`` with its hash. Locks are left out: they are empty, and free."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    # Reading a set that is in write-ahead mode makes SQLite's own side files.
    kept = (path for path in files if path.name != ".lock" and not path.name.endswith(("-shm", "-wal")))
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def run(*words: object) -> tuple[int, str]:
    """Exit code and what stderr says of the failure, of the real program in a process of its own."""
    command = [sys.executable, "-m", "faceengine", *map(str, words)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=240)
    return told.returncode, told.stderr


# -- what is bad -------------------------------------------------------------------------------------------------------


def extract(place: Place, *inputs: Path) -> Command:
    return ["extract", *inputs, "--out", place.folder / "out"]


def train(place: Place, a: Path | None = None, b: Path | None = None, name: str = "out") -> Command:
    words: Command = ["train", "--a", a or place.faces_a, "--b", b or place.faces_b, "--run", place.folder / name]
    return [*words, "--preset", "quick", "--iterations", "6", "--batch", "4", "--workers", "0"]


def convert(place: Place, video: Path | None = None, model: Path | None = None) -> Command:
    words: Command = ["convert", video or place.clip, "--run", model or place.run, "--direction", "a2b"]
    return [*words, "--out", place.folder / "out.mp4"]


def score(place: Place, video: Path | None = None, wanted: Path | None = None) -> Command:
    words: Command = ["score", video or place.clip, "--wanted", wanted or place.faces_b]
    return [*words, "--original", place.faces_a, "--out", place.folder / "out.json"]


def empty_video(place: Place) -> Path:
    path = place.folder / "empty.mp4"
    path.touch()
    return path


def noise_video(place: Place) -> Path:
    path = place.folder / "noise.mp4"
    path.write_bytes(hashlib.shake_128(b"noise").digest(50_000))
    return path


def text_video(place: Place) -> Path:
    """A list of files that careless readers follow."""
    path = place.folder / "list.mp4"
    path.write_text(f"ffconcat version 1.0\nfile '{place.copy(place.clip, 'neighbour.mp4').name}'\n")
    return path


def headless_video(place: Place) -> Path:
    """Cut in the middle; its index stood at its end, so that no frame of it can be found."""
    path = place.folder / "headless.mp4"
    data = place.clip.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def sound_only(place: Place) -> Path:
    return place.ffmpeg("sound.mp4", "-i", place.clip, "-vn", "-c:a", "copy")


def nobody(place: Place) -> Path:
    return place.ffmpeg("nobody.mp4", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=0.4")


def large_photo(place: Place, height: int = 10_000) -> Path:
    """200 megapixels in 25 kB."""
    path = place.folder / "large.png"
    Image.new("1", (20_000, height)).save(path)
    return path


def torn_photo(place: Place) -> Path:
    path = place.folder / "torn.jpg"
    Image.effect_noise((320, 240), 80).save(path)
    path.write_bytes(path.read_bytes()[:2_000])
    return path


def few_faces(place: Place) -> Path:
    """A set in which people left only 24 crops."""
    folder = place.copy(place.faces_a, "few")
    with FaceSet.open(folder) as faces:
        faces.set_verdicts({crop.id: "reject" for crop in faces.crops()[24:]})
    return folder


def change_rows(place: Place, statement: str, name: str) -> Path:
    folder = place.copy(place.faces_a, name)
    with sqlite3.connect(folder / "faces.sqlite") as connection:
        connection.execute(statement)
    connection.close()
    return folder


def faces_without_landmarks(place: Place) -> Path:
    return change_rows(place, "UPDATE crops SET landmarks = x''", "bare")


def torn_index(place: Place) -> Path:
    folder = place.copy(place.faces_a, "torn")
    for path in folder.glob("faces.sqlite-*"):
        path.unlink()
    index = folder / "faces.sqlite"
    index.write_bytes(index.read_bytes()[:5_000])
    return folder


def lost_picture(place: Place) -> Path:
    folder = place.copy(place.faces_a, "lost")
    next((folder / "crops").iterdir()).unlink()
    return folder


def torn_run(place: Place, name: str = "torn") -> Path:
    folder = place.copy(place.run, name)
    for path in (folder / "checkpoints").rglob("*.safetensors"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return folder


def junk_run(place: Place) -> Path:
    folder = place.copy(place.run, "junk")
    for path in (folder / "checkpoints").rglob("*.safetensors"):
        path.write_bytes(b"\xff" * 5_000)
    return folder


def empty_run(place: Place) -> Path:
    folder = place.folder / "norun"
    folder.mkdir()
    return folder


def same_set(place: Place) -> Command:
    return train(place, place.faces_a, place.faces_a)


def same_set_by_link(place: Place) -> Command:
    link = place.folder / "link"
    link.symlink_to(place.faces_a)
    return train(place, place.faces_a, link)


def other_preset(place: Place) -> Command:
    words = train(place, name=place.copy(place.run, "mine").name)
    return ["standard-64" if word == "quick" else word for word in words]


def from_other_preset(place: Place) -> Command:
    words = train(place)
    return [*("standard-64" if word == "quick" else word for word in words), "--from", place.run]


def over_itself(place: Place) -> Command:
    clip = place.copy(place.clip, "out.mp4")
    return convert(place, clip)


CASES: dict[str, tuple[Callable[[Place], Command], str]] = {
    "extract a missing video": (lambda p: extract(p, p.folder / "missing.mp4"), "missing"),
    "extract an empty video": (lambda p: extract(p, empty_video(p)), "video.empty"),
    "extract noise": (lambda p: extract(p, noise_video(p)), "video.unreadable"),
    "extract a list of other files": (lambda p: extract(p, text_video(p)), "video.unreadable"),
    "extract a video cut in the middle": (lambda p: extract(p, headless_video(p)), "video.unreadable"),
    "extract sound": (lambda p: extract(p, sound_only(p)), "video."),
    "extract where nobody is": (lambda p: extract(p, nobody(p)), "face"),
    "extract a photo of 200 megapixels": (lambda p: extract(p, large_photo(p)), "photo.too_large"),
    "extract a photo of 100 megapixels": (lambda p: extract(p, large_photo(p, 5_000)), "photo.too_large"),
    "extract a photo of 50 megapixels": (lambda p: extract(p, large_photo(p, 2_500)), "photo.too_large"),
    "extract a torn photo": (lambda p: extract(p, torn_photo(p)), "photo.unreadable"),
    "train without a set": (lambda p: train(p, p.folder / "missing"), "faceset.missing"),
    "train with 24 crops": (lambda p: train(p, few_faces(p)), "train.too_few"),
    "train A with itself": (same_set, "same"),
    "train A with itself by another name": (same_set_by_link, "same"),
    "train without landmarks": (lambda p: train(p, faces_without_landmarks(p)), "landmarks"),
    "train with a torn index": (lambda p: train(p, torn_index(p)), "faceset.damaged"),
    "train with a picture lost": (lambda p: train(p, lost_picture(p)), "faceset.picture"),
    "train on with another preset": (other_preset, "run.other_settings"),
    "train on from a torn checkpoint": (lambda p: train(p, name=torn_run(p).name), "checkpoint.damaged"),
    "train from another preset": (from_other_preset, "checkpoint"),
    "convert a missing video": (lambda p: convert(p, p.folder / "missing.mp4"), "video.missing"),
    "convert an empty video": (lambda p: convert(p, empty_video(p)), "video.empty"),
    "convert noise": (lambda p: convert(p, noise_video(p)), "video.unreadable"),
    "convert a list of other files": (lambda p: convert(p, text_video(p)), "video.unreadable"),
    "convert where nobody is": (lambda p: convert(p, nobody(p)), "convert.no_person"),
    "convert over itself": (over_itself, "convert.same_file"),
    "convert without a run": (lambda p: convert(p, model=p.folder / "missing"), "run.missing"),
    "convert with an empty run": (lambda p: convert(p, model=empty_run(p)), "run.missing"),
    "convert with a torn checkpoint": (lambda p: convert(p, model=torn_run(p)), "checkpoint.damaged"),
    "convert with junk for a checkpoint": (lambda p: convert(p, model=junk_run(p)), "checkpoint.damaged"),
    "score a missing video": (lambda p: score(p, p.folder / "missing.mp4"), "video.missing"),
    "score an empty video": (lambda p: score(p, empty_video(p)), "video.empty"),
    "score where nobody is": (lambda p: score(p, nobody(p)), "score."),
    "score without a set": (lambda p: score(p, wanted=p.folder / "missing"), "faceset.missing"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_in_one_line(case: str, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    make, code = CASES[case]
    words = make(place)
    before = contents(place.folder, place.faces_a, place.faces_b, place.run)
    exit_code = main([str(word) for word in words])
    told = capsys.readouterr()
    assert exit_code in (2, 3), told.err
    assert told.out == ""
    refusals = [line for line in told.err.splitlines() if line.startswith("faceengine: ")]
    assert len(refusals) == 1
    assert code in refusals[0]
    assert told.err.splitlines()[-1] == refusals[0]
    assert "Traceback" not in told.err
    after = contents(place.folder, place.faces_a, place.faces_b, place.run)
    assert {path: after.get(path) for path in before} == before
    assert left_behind(place, after.keys() - before.keys()) == set()


def left_behind(place: Place, new: set[Path]) -> set[Path]:
    """New files that should not be there: results, summaries, checkpoints, parts; a set's empty index may stay."""
    return {path for path in new if path.relative_to(place.folder) != Path("out/faces.sqlite")}


def test_a_refused_extraction_keeps_the_set_that_was_there(place: Place) -> None:
    faces = place.copy(place.faces_a, "out")
    before = contents(faces)
    code, told = run("extract", noise_video(place), "--out", faces)
    assert code == 3, told
    assert "video.unreadable" in told
    assert contents(faces) == before


# -- two at once -------------------------------------------------------------------------------------------------------


def test_a_second_process_on_one_run_is_refused(place: Place) -> None:
    folder = place.copy(place.run, "out")
    before = contents(folder)
    with only_process(folder):
        code, told = run(*train(place))
    assert code == 3, told
    assert "folder.busy" in told
    assert contents(folder) == before


def test_a_second_extraction_into_one_set_is_refused(place: Place) -> None:
    folder = place.copy(place.faces_a, "out")
    before = contents(folder)
    with only_process(folder):
        code, told = run(*extract(place, place.clip))
    assert code == 3, told
    assert "folder.busy" in told
    assert contents(folder) == before


# -- a full disk -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SmallDisk:
    """Runs a command that finds little room in ``folder``, and lists what is there afterwards."""

    folder: Path

    def run(self, kilobytes: int, *words: object, each: int) -> tuple[int, str, list[str]]:
        """Exit code, stderr, and the files in the folder at the end.

        With a file system of its own of ``kilobytes``, which a mount namespace gives without root on most machines;
        else with a limit of ``each`` kilobytes a file, which fails writes in the same way.
        """
        command = [sys.executable, "-m", "faceengine", *map(str, words)]
        listing = 'code=$?; find "$1" -type f; exit $code'
        mount = f'mount -t tmpfs -o size={kilobytes}k none "$1" || exit 99; (shift; "$@"); {listing}'
        told = _shell(["unshare", "-rm"], mount, self.folder, command)
        if told.returncode == 99 or "unshare" in told.stderr.split("\n")[0]:
            limit = f'(ulimit -f {each * 2}; shift; "$@"); {listing}'
            told = _shell([], limit, self.folder, command)
        return told.returncode, told.stderr, sorted(Path(line).name for line in told.stdout.splitlines())


def _shell(before: list[str], script: str, folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    words = [*before, "sh", "-c", script, "sh", str(folder), *command]
    return subprocess.run(words, capture_output=True, text=True, timeout=240)


@pytest.fixture
def small_disk(place: Place) -> SmallDisk:
    folder = place.folder / "disk"
    folder.mkdir()
    return SmallDisk(folder)


def test_extraction_on_a_full_disk_keeps_what_it_had(place: Place, small_disk: SmallDisk) -> None:
    words = ["extract", place.clip, "--out", small_disk.folder / "out", "--every", "2"]
    code, told, left = small_disk.run(700, *words, each=60)
    assert code == 3, told
    assert "disk.full" in told
    assert "Traceback" not in told
    assert "faces.json" not in left
    assert not [name for name in left if ".part" in name]


def test_training_on_a_full_disk_says_so(place: Place, small_disk: SmallDisk) -> None:
    words = ["train", "--a", place.faces_a, "--b", place.faces_b, "--run", small_disk.folder / "out"]
    words += ["--preset", "quick", "--iterations", "2", "--batch", "2", "--workers", "0"]
    code, told, left = small_disk.run(3000, *words, each=3000)
    assert code == 3, told
    assert "disk.full" in told
    assert "Traceback" not in told
    assert not [name for name in left if ".part" in name or name.endswith(".safetensors")]


def test_conversion_on_a_full_disk_leaves_no_half_video(place: Place, small_disk: SmallDisk) -> None:
    words = ["convert", place.clip, "--run", place.run, "--direction", "a2b", "--out", small_disk.folder / "out.mp4"]
    code, told, left = small_disk.run(60, *words, each=60)
    assert code == 3, told
    assert "disk.full" in told
    assert "Traceback" not in told
    assert [name for name in left if name.endswith(".mp4")] == []


# -- odd, but good -----------------------------------------------------------------------------------------------------


def silent(place: Place) -> Path:
    return place.ffmpeg("silent.mp4", "-i", place.clip, "-an", "-c:v", "copy")


def odd(place: Place) -> Path:
    return place.ffmpeg("odd.mp4", "-i", place.clip, "-vf", "format=yuv444p,crop=639:479", "-c:a", "copy")


def rotated(place: Place) -> Path:
    """Stored lying, with the mark that it is to be shown upright."""
    lying = place.ffmpeg("lying.mp4", "-i", place.clip, "-vf", "transpose=1", "-c:a", "copy")
    return place.ffmpeg("rotated.mp4", "-display_rotation", "90", "-i", lying, "-c", "copy")


def variable(place: Place) -> Path:
    """Every third frame of the second half is missing; the others keep their times."""
    select = "select='lt(n,25)+mod(n,3)'"
    return place.ffmpeg("variable.mp4", "-i", place.clip, "-vf", select, "-fps_mode", "vfr", "-c:a", "copy")


@pytest.mark.parametrize("make", [silent, odd, rotated, variable], ids=lambda make: make.__name__)
def test_an_odd_video_is_converted_like_any_other(make: Callable[[Place], Path], place: Place) -> None:
    video = make(place)
    assert main([str(word) for word in convert(place, video)]) == 0
    with av.open(str(place.folder / "out.mp4")) as result:
        picture, sound = result.streams.video[0], result.streams.audio
        frames = sum(1 for _ in result.decode(picture))
    assert frames == 50
    assert len(sound) == (0 if make is silent else 1)
    assert (picture.width, picture.height) == (640, 480)

"""From a clip to a face set: every measure against a truth, every interruption without loss."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from faceengine import weights
from faceengine.errors import ConfigError, InputError
from faceengine.events import Checkpoint, Message, Progress
from faceengine.extraction import coverage, extract, quality
from faceengine.extraction.config import ExtractConfig
from faceengine.extraction.extract import run
from faceengine.extraction.landmarks import DlibLandmarker, FanLandmarker, make_landmarker, peaks
from faceengine.extraction.masks import face_masks
from faceengine.faceset import MASKS, FaceSet
from faceengine.files import only_process
from faceengine.geometry import Image, align_matrix, transform
from faceengine.video import read_frames
from tests.engine.conftest import Heard

ROOT = Path(__file__).resolve().parents[2]
FACE = np.random.default_rng(1)


def photo(path: Path, image: Image) -> Path:
    Pillow.fromarray(image).save(path)
    return path


@pytest.fixture
def grey_photo(tmp_path: Path) -> Path:
    return photo(tmp_path / "grey.png", np.full((240, 320, 3), 99, np.uint8))


@pytest.fixture(scope="module")
def landmarks(short_a: Path) -> np.ndarray:
    """The landmarks of one real face, in frame pixels."""
    image = next(read_frames(short_a)).image
    from faceengine.extraction.finder import FaceFinder

    return DlibLandmarker()(image, FaceFinder()(image)[0].box[None])[0]


# -- a whole set -----------------------------------------------------------------------------------------------------


def test_a_clip_becomes_a_set_that_says_everything(faces_a: Path) -> None:
    with FaceSet.open(faces_a) as faces:
        crops, summary = faces.crops(), faces.summary
        image, masks = faces.image(crops[0].id), faces.masks(crops[0].id)
    assert len(crops) >= 30
    assert [crop.frame for crop in crops] == sorted(crop.frame for crop in crops)
    assert all(crop.frame % 25 == 0 and crop.time == pytest.approx(crop.frame / 25, abs=0.01) for crop in crops)
    assert summary["frames_read"] == 40
    assert summary["crops"] == len(crops)
    assert summary["frames_with_face"] <= 40
    assert summary["networks"].keys() == {"detector", "landmarks", "embedding"}
    assert sum(map(sum, summary["coverage"]["counts"])) == len(crops)
    assert summary["advice"][0]["code"] == "extract.some"
    assert image.shape == (256, 256, 3)
    assert {name: mask.shape for name, mask in masks.items()} == dict.fromkeys(MASKS, (256, 256))


def test_a_crop_is_its_frame_through_its_matrix(faces_a: Path, demo_a: Path) -> None:
    with FaceSet.open(faces_a) as faces:
        crop = faces.crops()[3]
        stored = faces.image(crop.id)
    frame = next(read_frames(demo_a, start=crop.frame))
    cut = cv2.warpAffine(frame.image, crop.matrix, (256, 256), borderMode=cv2.BORDER_REPLICATE)
    assert np.array_equal(stored, cut)
    assert np.allclose(crop.matrix, align_matrix(crop.points, 256))
    assert crop.box[2] - crop.box[0] == pytest.approx(crop.box[3] - crop.box[1])
    assert crop.face_size == pytest.approx(crop.box[2] - crop.box[0])


def test_one_person_is_near_its_medoid(faces_a: Path) -> None:
    with FaceSet.open(faces_a) as faces:
        distances = [crop.medoid_distance for crop in faces.crops()]
    assert min(distances) == 0
    assert np.median(distances) < 0.5


def test_the_measures_follow_what_they_measure(faces_a: Path) -> None:
    """Where the eyes stand in the picture tells the roll, where the nose stands between them the yaw."""
    with FaceSet.open(faces_a) as faces:
        crops = faces.crops()
    eyes = np.array([crop.points[1] - crop.points[0] for crop in crops])
    noses = np.array([crop.points[2] - crop.points[:2].mean(axis=0) for crop in crops])
    slopes = np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0]))
    assert np.corrcoef(slopes, [crop.roll for crop in crops])[0, 1] > 0.8
    assert np.corrcoef(noses[:, 0] / eyes[:, 0], [crop.yaw for crop in crops])[0, 1] > 0.9
    assert np.corrcoef(-noses[:, 1] / eyes[:, 0], [crop.pitch for crop in crops])[0, 1] > 0.6


def test_videos_photos_and_folders_go_into_one_set(short_a: Path, short_b: Path, tmp_path: Path, heard: Heard) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    one, two = (next(read_frames(clip, start=20)).image for clip in (short_a, short_b))
    photo(photos / "2 together.png", np.concatenate([one, two], axis=1))
    photo(photos / "1 alone.jpg", two)
    (photos / "3 broken.jpg").write_bytes(b"\xff\xd8 nothing")
    (photos / "notes.txt").write_text("no photo")
    result = run(ExtractConfig(inputs=(short_a, photos), every=10), tmp_path / "faces", on_event=heard)
    with FaceSet.open(tmp_path / "faces") as faces:
        crops, inputs = faces.crops(), faces.inputs()
    assert (result.frames_read, result.frames_with_face, result.crops) == (7, 7, 8)
    assert [Path(crop.input).name for crop in crops[5:]] == ["1 alone.jpg", "2 together.png", "2 together.png"]
    together = crops[6:]
    assert [crop.face for crop in together] == [0, 1]
    assert np.abs(together[0].points - together[1].points).max() > 200
    assert all(row["done"] for row in inputs.values())
    messages = {event.code: event.text for event in heard.events if isinstance(event, Message)}
    assert "3 broken.jpg" in messages["extract.bad_photo"]
    assert messages.keys() >= {"extract.few"}
    progress = [event for event in heard.events if isinstance(event, Progress) and event.stage == "extract"]
    assert progress[-1].done == 7


# -- bad input -------------------------------------------------------------------------------------------------------


def refused(config: ExtractConfig, folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        run(config, folder)
    assert not folder.exists(), "something stayed behind"
    return caught.value.code


def test_input_without_a_face_is_an_error_that_leaves_nothing(grey_photo: Path, tmp_path: Path) -> None:
    assert refused(ExtractConfig(inputs=(grey_photo,)), tmp_path / "faces") == "extract.no_face"


def test_inputs_that_cannot_be_used(tmp_path: Path, short_a: Path) -> None:
    empty, noise, nothing = tmp_path / "empty.mp4", tmp_path / "noise.mp4", tmp_path / "photos"
    empty.touch()
    noise.write_bytes(FACE.bytes(3000))
    nothing.mkdir()
    broken, huge = tmp_path / "broken.png", tmp_path / "huge.png"
    broken.write_bytes(b"\x89PNG")
    Pillow.new("1", (20_000, 10_000)).save(huge)
    wanted = {
        empty: "video.empty",
        noise: "video.unreadable",
        nothing: "extract.empty_folder",
        broken: "photo.unreadable",
        huge: "photo.too_large",
        tmp_path / "nowhere": "extract.missing",
    }
    for path, code in wanted.items():
        assert refused(ExtractConfig(inputs=(path,)), tmp_path / "faces") == code
    # One bad video among good ones stops the whole before it starts.
    assert refused(ExtractConfig(inputs=(short_a, empty)), tmp_path / "faces") == "video.empty"


def test_faces_cannot_go_among_the_photos(grey_photo: Path) -> None:
    folder = grey_photo.parent / "faces"
    assert refused(ExtractConfig(inputs=(grey_photo.parent,)), folder) == "extract.same_folder"


def test_bad_settings_name_the_field() -> None:
    with pytest.raises(ConfigError, match="inputs"):
        ExtractConfig()
    with pytest.raises(ConfigError, match="every"):
        ExtractConfig(inputs=(Path("x"),), every=0)


def test_two_extractions_cannot_share_a_folder(short_a: Path, tmp_path: Path) -> None:
    with only_process(tmp_path / "faces"), pytest.raises(InputError) as caught:
        run(ExtractConfig(inputs=(short_a,)), tmp_path / "faces")
    assert caught.value.code == "folder.busy"


def test_a_full_disk_is_said_so_and_loses_nothing(
    short_a: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past a number of crops every write fails with the error that a full disk gives."""
    monkeypatch.setattr(extract, "_CHUNK_CROPS", 4)
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "000010.png":
            raise OSError(28, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    config = ExtractConfig(inputs=(short_a,), every=2)
    with pytest.raises(InputError) as caught:
        run(config, tmp_path / "faces")
    assert caught.value.code == "disk.full"
    monkeypatch.undo()
    with FaceSet.open(tmp_path / "faces") as faces:
        assert len(faces) == 8
    assert run(config, tmp_path / "faces").crops == 25


def test_a_cut_off_video_gives_what_it_has_and_says_so(short_a: Path, tmp_path: Path, heard: Heard) -> None:
    import imageio_ffmpeg

    fast, cut = tmp_path / "fast.mp4", tmp_path / "cut.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(short_a), "-c", "copy"]
    subprocess.run([*command, "-movflags", "+faststart", str(fast)], check=True)
    cut.write_bytes(fast.read_bytes()[: fast.stat().st_size // 2])
    result = run(ExtractConfig(inputs=(cut,), every=2), tmp_path / "faces", on_event=heard)
    assert 3 < result.crops < 24
    assert "video.truncated" in {event.code for event in heard.events if isinstance(event, Message)}


# -- going on --------------------------------------------------------------------------------------------------------


def stop_after(frames: int) -> Callable[[], bool]:
    asked = iter(range(10**6))
    return lambda: next(asked) >= frames - 1


def positions(folder: Path) -> list[tuple[str, int, int]]:
    with FaceSet.open(folder) as faces:
        return [(crop.input, crop.frame, crop.face) for crop in faces.crops()]


def test_stopped_and_started_again_it_goes_on(short_a: Path, tmp_path: Path) -> None:
    config, folder = ExtractConfig(inputs=(short_a,), every=2), tmp_path / "faces"
    first = run(config, folder, should_stop=stop_after(6))
    assert first.stopped
    assert first.crops == 6
    assert not (folder / "faces.json").exists()
    with FaceSet.open(folder) as faces:
        faces.set_verdicts({2: "reject"})
    second = run(config, folder)
    assert not second.stopped
    assert positions(folder) == [(str(short_a), frame, 0) for frame in range(0, 50, 2)]
    with FaceSet.open(folder) as faces:
        assert [crop.verdict for crop in faces.crops()][:3] == [None, "reject", None]
        assert faces.summary["frames_read"] == 25


def test_what_is_done_is_not_done_again(short_a: Path, short_b: Path, tmp_path: Path) -> None:
    folder, moved = tmp_path / "faces", tmp_path / "moved.mp4"
    run(ExtractConfig(inputs=(short_a,), every=10), folder)
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "crops").iterdir()}
    shutil.copy(short_a, moved)
    result = run(ExtractConfig(inputs=(moved, short_a, short_b), every=10), folder)
    assert result.crops == 10
    after = {path.name: path.stat().st_mtime_ns for path in (folder / "crops").iterdir()}
    assert before.items() <= after.items()


@pytest.mark.parametrize("changes", [{"every": 5}, {"size": 128}, {"min_face": 60}])
def test_other_settings_in_the_same_folder_are_refused(short_a: Path, tmp_path: Path, changes: dict[str, int]) -> None:
    run(ExtractConfig(inputs=(short_a,), every=25), tmp_path / "faces")
    with pytest.raises(InputError) as caught:
        run(ExtractConfig(inputs=(short_a,), **({"every": 25} | changes)), tmp_path / "faces")
    assert caught.value.code == "extract.settings"
    assert next(iter(changes)) in str(caught.value)
    assert (tmp_path / "faces" / "faces.json").exists()


def test_another_file_under_a_known_name_is_refused(short_a: Path, short_b: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    shutil.copy(short_a, clip)
    run(ExtractConfig(inputs=(clip,), every=25), tmp_path / "faces")
    shutil.copy(short_b, clip)
    with pytest.raises(InputError) as caught:
        run(ExtractConfig(inputs=(clip,), every=25), tmp_path / "faces")
    assert caught.value.code == "extract.changed"


def test_killed_in_the_middle_it_goes_on_without_loss_or_doubles(demo_a: Path, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    program = (
        "import sys; from pathlib import Path; from faceengine.extraction import extract;"
        "from faceengine.extraction.config import ExtractConfig; extract._CHUNK_CROPS = 3;"
        "extract.run(ExtractConfig(inputs=(Path(sys.argv[1]),), every=10), Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", program, str(demo_a), str(folder)]
    kept = 0
    for wanted in (6, 20):
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while process.poll() is None and count(folder) < wanted and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert count(folder) >= max(kept, wanted)
        kept = count(folder)
    run(ExtractConfig(inputs=(demo_a,), every=10), folder)
    assert [frame for _, frame, _ in positions(folder)] == list(range(0, 1000, 10))
    with FaceSet.open(folder) as faces:
        assert all(faces.image(crop.id).shape == (256, 256, 3) for crop in faces.crops())


def test_an_interrupted_extraction_equals_one_that_was_not(demo_a: Path, tmp_path: Path) -> None:
    clip = _first_frames(demo_a, tmp_path / "clip.mp4", 120)
    config = ExtractConfig(inputs=(clip,), every=2)
    run(config, tmp_path / "whole")
    for frames in (13, 55, 1000):  # in the first stretch, after the first of the second, to the end
        seen = itertools.count(1)
        run(config, tmp_path / "parts", should_stop=lambda seen=seen, last=frames: next(seen) > last)
    with FaceSet.open(tmp_path / "whole") as whole, FaceSet.open(tmp_path / "parts") as parts:
        pairs = list(zip(whole.crops(), parts.crops(), strict=True))
        assert len(pairs) >= 55
        for one, other in pairs:
            assert (one.frame, one.face) == (other.frame, other.face)
            for name in ("box", "points", "landmarks", "matrix", "embedding", "medoid_distance"):
                assert np.array_equal(getattr(one, name), getattr(other, name)), (one.frame, name)
            assert np.array_equal(whole.image(one.id), parts.image(other.id))


def _first_frames(clip: Path, target: Path, frames: int) -> Path:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(clip), "-frames:v", str(frames), "-an"]
    subprocess.run([*command, "-crf", "12", str(target)], check=True)
    return target


def count(folder: Path) -> int:
    try:
        with sqlite3.connect(f"file:{folder / 'faces.sqlite'}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM crops").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


# -- landmarks -------------------------------------------------------------------------------------------------------


def test_without_fans_weights_dlib_runs_and_says_so(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    find = weights.find
    monkeypatch.setattr(weights, "find", lambda name: None if name == "fan-2d" else find(name))
    assert make_landmarker("auto", on_event=heard).name == "dlib68"
    (message,) = heard.events
    assert isinstance(message, Message)
    assert (message.level, message.code) == ("warning", "landmarks.dlib")


def test_landmarks_agree_with_the_points_of_the_finder(faces_b: Path) -> None:
    """In all but a few crops: hair over half a profile leads dlib astray now and then, and the gap says so."""
    with FaceSet.open(faces_b) as faces:
        gaps = np.array([crop.landmark_gap for crop in faces.crops()])
    assert np.median(gaps) < 0.05
    assert (gaps < 0.12).mean() >= 0.9
    assert not ((gaps > 0.1) & (gaps < 0.15)).any()


def test_the_gap_is_the_largest_distance_at_eyes_and_mouth(landmarks: np.ndarray) -> None:
    box = np.array([100.0, 50.0, 300.0, 250.0])
    points = _five(landmarks)
    assert quality.landmark_gap(landmarks, points, box) == 0
    assert quality.landmark_gap(landmarks, points + np.array([0, 20]), box) == pytest.approx(0.1)
    points[2] += 50  # the nose does not count
    points[4] += (30, 40)
    assert quality.landmark_gap(landmarks, points, box) == pytest.approx(0.25)


class Spots(torch.nn.Module):
    """Stands where FAN would: a heatmap whose only peak is where its crop is brightest."""

    def forward(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        heat = torch.nn.functional.avg_pool2d(pixels.mean(dim=1, keepdim=True), 4)
        return [heat.expand(-1, 68, -1, -1)]


def test_fans_points_land_in_the_frame_where_its_map_peaks() -> None:
    """The way there and back: frame → crop → map → crop → frame, for boxes of several sizes and places."""
    for spot, box in [
        ((300, 200), (220, 120, 380, 290)),
        ((61, 80), (20, 30, 90, 120)),
        ((410, 333), (400, 250, 640, 480)),
    ]:
        image = np.zeros((480, 640, 3), np.uint8)
        cv2.circle(image, spot, 6, (255, 255, 255), -1)
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 5), np.uint8)
        found = FanLandmarker(net=Spots())(image, np.array([box], float))
        assert found.shape == (1, 68, 2)
        cell = (box[2] - box[0] + box[3] - box[1]) * 200 / 195 / 64
        assert np.abs(found[0] - spot).max() < 0.75 * cell


def test_peaks_by_hand() -> None:
    heat = torch.zeros(1, 2, 8, 8)
    heat[0, 0, 3, 5], heat[0, 0, 3, 6], heat[0, 0, 2, 5] = 1.0, 0.5, 0.2
    heat[0, 1, 0, 0] = 1.0
    assert peaks(heat)[0].tolist() == [[5.25, 2.75], [-0.25, -0.25]]


# -- masks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [64, 256, 512])
def test_masks_are_white_at_their_points_and_black_elsewhere(landmarks: np.ndarray, size: int) -> None:
    points = transform(landmarks, align_matrix(_five(landmarks), size))
    masks = face_masks(points, size)
    assert tuple(masks) == MASKS

    def at(name: str, place: np.ndarray) -> int:
        x, y = np.clip(place.round().astype(int), 0, size - 1)
        return int(masks[name][y, x])

    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    assert at("eyes", left) == at("eyes", right) == 255
    assert at("eyes", (left + right) / 2) == 0
    assert at("brows", points[19]) == at("nose", points[30]) == at("mouth", points[51:58].mean(axis=0)) == 255
    assert all(at(name, points[8]) == 0 for name in ("eyes", "brows", "nose", "mouth"))
    assert at("face", points[30]) == at("face", left) == 255
    assert all(masks[name][0, 0] == 0 for name in MASKS)


def test_a_mask_is_its_hull_grown_and_blurred() -> None:
    """A square eye of 40 px at 256: grown by 6 on each side, then soft over 3 on each side of that edge."""
    points = np.full((68, 2), 200.0)
    points[36:42] = [(100, 100), (140, 100), (140, 140), (100, 140), (100, 120), (140, 120)]
    row = face_masks(points, 256)["eyes"][120]
    assert row[94 + 3] == 255
    assert 0 < row[94] < 255
    assert row[94 - 6] == 0
    assert row[97:143].min() == 255


def _five(landmarks: np.ndarray) -> np.ndarray:
    eyes = [landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)]
    return np.stack([*eyes, landmarks[30], landmarks[48], landmarks[54]])


# -- quality ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (30, 0, 0), (-25, 10, 0), (5, -20, 12), (0, 15, -30)])
def test_pose_is_found_again(yaw: float, pitch: float, roll: float) -> None:
    """The generic head, turned by known angles and drawn by a far camera."""
    y, p, r = np.radians([-yaw, -pitch, roll])
    around_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    around_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    around_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    turned = quality._HEAD @ (around_z @ around_y @ around_x).T
    landmarks = np.zeros((68, 2))
    landmarks[:] = (320, 240)
    landmarks[list(quality._RIGID)] = turned[:, :2] * 80 / (1 + turned[:, 2:] / 14) + (320, 240)
    found = quality.pose(landmarks)
    assert found.yaw == pytest.approx(yaw, abs=2.5)
    assert found.pitch == pytest.approx(pitch, abs=2.5)
    assert found.roll == pytest.approx(roll, abs=2.5)
    # Toward the right of the picture: there the nose's tip is right of the eyes' middle.
    across = landmarks[30, 0] - landmarks[36:48, 0].mean()
    assert abs(yaw) < 20 or np.sign(across) == np.sign(yaw)


def test_pose_does_not_depend_on_place_and_size(landmarks: np.ndarray) -> None:
    assert quality.pose(landmarks) == pytest.approx(quality.pose(landmarks * 1.7 + (500, -90)), abs=0.05)


def test_sharpness_falls_with_blur_and_does_not_depend_on_size(faces_a: Path) -> None:
    with FaceSet.open(faces_a) as faces:
        image = faces.image(1)
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), 3), np.uint8)
    large = np.asarray(cv2.resize(image, (512, 512), interpolation=cv2.INTER_NEAREST), np.uint8)

    def sharp(crop: Image) -> float:
        return quality.sharpness(quality.grey(crop))

    assert sharp(blurred) < 0.3 * sharp(image)
    assert sharp(large) == pytest.approx(sharp(image), rel=0.02)


def test_brightness_looks_inside_the_mask_only() -> None:
    grey, mask = np.full((8, 8), 200, np.uint8), np.zeros((8, 8), np.uint8)
    grey[:4], mask[:4] = 60, 255
    assert quality.brightness(grey, mask) == 60


def test_hash_by_hand() -> None:
    """Nine columns of falling brightness: every cell is brighter than its right neighbour."""
    falling = np.repeat(np.linspace(250, 10, 9).astype(np.uint8)[None], 8, axis=0)
    assert quality.difference_hash(falling) == -1
    assert quality.difference_hash(falling[:, ::-1].copy()) == 0


def test_near_duplicates_gather_around_the_first() -> None:
    base = 0b1011 << 40
    hashes = np.array([base, base ^ 0b111, -1, base ^ (0b11111 << 10), base ^ (0b111111 << 10), -1 ^ 0b1], np.int64)
    assert quality.near_duplicates(hashes, bits=5).tolist() == [0, 0, 2, 0, 4, 2]
    assert quality.near_duplicates(np.empty(0, np.int64)).tolist() == []


def test_a_repeated_picture_is_a_near_duplicate(short_a: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    image = next(read_frames(short_a)).image
    photo(photos / "a.png", image)
    photo(photos / "b.png", np.clip(image.astype(int) + 4, 0, 255).astype(np.uint8))
    photo(photos / "c.png", image[:, ::-1].copy())
    run(ExtractConfig(inputs=(photos,)), tmp_path / "faces")
    with FaceSet.open(tmp_path / "faces") as faces:
        assert [crop.near_duplicates for crop in faces.crops()] == [1, 1, 3]
        assert faces.summary["near_duplicate_groups"] == 2


# -- coverage --------------------------------------------------------------------------------------------------------


def test_coverage_counts_every_face_in_its_bin() -> None:
    counts = coverage.coverage([(0, 0), (3, -2), (-40, 12), (95, 0)])["counts"]
    assert counts[3][2] == 2
    assert counts[1][3] == 1
    assert counts[6][2] == 1
    assert sum(map(sum, counts)) == 4


def test_what_one_side_lacks_is_said_in_words() -> None:
    one = coverage.coverage([(0, 0)] * 60 + [(60, 0)] * 30 + [(-20, 12)] * 10)
    other = coverage.coverage([(0, 0)] * 50 + [(60, 0)])
    assert coverage.compare(one, other) == [
        "person B has only one face looking far to the right; person A has 30",
        "person B has no face looking slightly to the left and up; person A has 10",
    ]
    assert coverage.compare(one, one) == []


def test_advice_by_number_of_crops() -> None:
    codes = {number: [code for code, _ in coverage.advice(number)] for number in (24, 25, 249, 250)}
    assert codes == {24: ["extract.few"], 25: ["extract.some"], 249: ["extract.some"], 250: []}


def test_what_is_durable_is_told_now_and_then(short_a: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "_CHECKPOINT_SECONDS", 0.0)
    heard = Heard()
    result = run(ExtractConfig(inputs=(short_a,), every=5), tmp_path / "faces", on_event=heard)
    checkpoints = [event for event in heard.events if isinstance(event, Checkpoint)]
    assert checkpoints[-1] == Checkpoint(result.frames_read, "faces.sqlite")

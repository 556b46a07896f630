"""Trainings and conversions from what people really have: old runs, damaged files, few crops, glasses, profiles, faces
larger than the frame. Each works, or is refused in one clear line with nothing lost."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from faceengine import weights
from faceengine.cli import main
from faceengine.embedding.chips import five_points
from faceengine.events import Message
from faceengine.extraction.finder import FaceFinder
from faceengine.faceset import MASKS, FaceSet
from faceengine.geometry import Points, transform
from faceengine.training import checkpoints
from faceengine.training.config import TrainConfig
from faceengine.training.swapper import load_swapper
from faceengine.training.train import run
from faceengine.training.visible import visible_face
from tests.engine.conftest import Heard
from tests.engine.conversions import frames_of


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small networks on a busy machine: more threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(faces_a: Path, faces_b: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the tiny preset, two iterations long. Copy it before changing it."""
    folder = tmp_path_factory.mktemp("run") / "trained"
    train(faces_a, faces_b, folder)
    return folder


def train(a: Path, b: Path, folder: Path, heard: Heard | None = None, iterations: int = 2) -> int:
    """Train the tiny preset and return how many iterations are done."""
    config = TrainConfig(a=a, b=b, preset="tiny", iterations=iterations, workers=0)
    return run(config, folder, on_event=heard or Heard()).iteration


def codes(heard: Heard) -> list[str]:
    return [event.code for event in heard.events if isinstance(event, Message)]


def contents(folder: Path) -> dict[str, str]:
    """Every file of a run with its hash, but its lock."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refusal(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one line with which the command line refuses."""
    capsys.readouterr()
    assert main([str(word) for word in words]) in (2, 3)
    told = capsys.readouterr().err
    assert "Traceback" not in told
    (line,) = [line for line in told.splitlines() if line.startswith("faceengine: ")]
    return line


# -- old and damaged runs ----------------------------------------------------------------------------------------------

OF_2026_11_24 = {
    "model": {
        "size": 64, "lite": False, "octave": 0.0, "narrow": 8, "attention": 16, "latent": 64, "coverage": 0.8,
    },
    "iterations": 2, "batch": 2, "learning_rate": 1e-4, "bottleneck_rate": 1.0, "warm_up": 0, "original_phases": True,
    "l2": 1e-4, "adversarial": 0.1, "adversarial_from": 0.0, "reconstruction": 1.0, "eyes": 30.0, "edge": 0.1,
    "face": 0.0, "ssim": 0.0, "perceptual": 1.0, "cycle": 10.0, "alpha": 0.01, "alpha_smooth": 0.1, "alpha_face": 0.0,
    "colour_match": 0.5, "placement": 1.0, "flip": 0.5, "warp_sigma": 5.6, "noise": 0.0, "blur": 0.0, "ema": 0.999,
}  # fmt: skip
"""The recipe of the preset tiny as it was written before there was a registry of architectures."""


def with_header(trained: Path, folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A copy of the run with its newest checkpoint's header changed, byte by byte as another program would write it."""
    shutil.copytree(trained, folder)
    path = checkpoints.newest(folder)
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["faceengine"])
    changed = change(header)
    tensors = checkpoints.read_tensors(path, "")
    save_file(tensors, path, {"faceengine": json.dumps(header if changed is None else changed)})
    return folder


def old(header: dict[str, Any], **recipe: Any) -> None:
    header["recipe"] = OF_2026_11_24 | recipe
    header["digest"] = "d41d8cd98f-0"
    for person in ("a", "b"):
        header["people"][person]["folder"] = "/somewhere/else"


def test_a_run_from_before_the_registry_goes_on_and_converts(
    trained: Path, faces_a: Path, faces_b: Path, tmp_path: Path
) -> None:
    folder = with_header(trained, tmp_path / "old", old)
    assert load_swapper(folder, "a2b").size == 64
    assert train(faces_a, faces_b, folder, iterations=3) == 3


def test_an_old_run_with_a_loss_that_is_no_more_is_kept_and_converts(
    trained: Path, faces_a: Path, faces_b: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = with_header(trained, tmp_path / "old", lambda header: old(header, ssim=1.0))
    before = contents(folder)
    line = refusal(capsys, "train", "--a", faces_a, "--b", faces_b, "--run", folder, "--preset", "tiny")
    assert "[checkpoint.version]" in line
    assert "ssim" in line
    assert "begin a new run" in line
    assert contents(folder) == before
    assert load_swapper(folder, "b2a").size == 64


def test_networks_that_another_version_built_otherwise(trained: Path, tmp_path: Path) -> None:
    """Once colour and alpha were drawn by two heads."""
    folder = tmp_path / "old"
    shutil.copytree(trained, folder)
    path = checkpoints.newest(folder)
    tensors = checkpoints.read_tensors(path, "")
    renamed = {name.replace(".head.", ".colour."): tensor for name, tensor in tensors.items()}
    checkpoints.save(folder, checkpoints.read_header(path), renamed)
    with pytest.raises(Exception, match="install the version that trained it") as refused:
        load_swapper(folder, "a2b")
    assert refused.value.code == "checkpoint.version"


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "a list": lambda header: [header],
    "no recipe": lambda header: header.pop("recipe") and None,
    "a recipe in words": lambda header: header.update(recipe="tiny"),
    "no model": lambda header: header["recipe"].pop("model") and None,
    "a model in words": lambda header: header["recipe"].update(model="compact"),
    "an iteration in words": lambda header: header.update(iteration="300"),
    "nobody": lambda header: header.update(people={}),
    "a person without a face": lambda header: header["people"]["b"].pop("medoid") and None,
    "a face that is no numbers": lambda header: header["people"]["a"].update(medoid=["x"]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_damaged_header_is_refused_in_one_line(
    case: str, trained: Path, short_a: Path, faces_a: Path, faces_b: Path, tmp_path: Path, capsys: Any
) -> None:
    folder = with_header(trained, tmp_path / "broken", BROKEN[case])
    before = contents(folder)
    convert = ["convert", short_a, "--run", folder, "--direction", "a2b", "--out", tmp_path / "out.mp4"]
    resume = ["train", "--a", faces_a, "--b", faces_b, "--run", folder, "--preset", "tiny", "--workers", "0"]
    for words in (convert, resume):
        assert "[checkpoint." in refusal(capsys, *words)
    assert contents(folder) == before
    assert not (tmp_path / "out.mp4").exists()


def test_weights_of_an_architecture_that_is_not_installed(
    trained: Path, faces_a: Path, faces_b: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = with_header(
        trained, tmp_path / "other", lambda header: header["recipe"]["model"].update(architecture="diffusion")
    )
    words = ["train", "--a", faces_a, "--b", faces_b, "--run", tmp_path / "new", "--preset", "tiny"]
    line = refusal(capsys, *words, "--from", folder)
    assert "[checkpoint.version]" in line
    assert "diffusion" in line
    line = refusal(capsys, *words, "--from", trained, "--octave", "0.5")
    assert "[checkpoint.preset]" in line
    assert "octave 0.0 instead of 0.5" in line
    assert not (tmp_path / "new" / "checkpoints").exists()


# -- few, bespectacled and turned faces --------------------------------------------------------------------------------


def changed(faces: Path, folder: Path, statement: str) -> Path:
    """A copy of a face set with its rows changed."""
    shutil.copytree(faces, folder)
    with sqlite3.connect(folder / "faces.sqlite") as connection:
        connection.execute(statement)
    connection.close()
    return folder


def test_25_crops_are_enough_to_begin_with(faces_a: Path, faces_b: Path, tmp_path: Path, heard: Heard) -> None:
    few = "UPDATE crops SET verdict = 'reject' WHERE id NOT IN (SELECT id FROM crops ORDER BY id LIMIT 25)"
    a, b = changed(faces_a, tmp_path / "a", few), changed(faces_b, tmp_path / "b", few)
    assert train(a, b, tmp_path / "run", heard) == 2
    assert codes(heard).count("train.few") == 2


def test_glasses_on_one_of_two_people(faces_a: Path, faces_b: Path, tmp_path: Path) -> None:
    glasses = tmp_path / "glasses"
    shutil.copytree(faces_a, glasses)
    shutil.rmtree(glasses / "visible-1", ignore_errors=True)
    with FaceSet.open(glasses) as faces:
        for crop in faces.crops():
            path = str(glasses / "crops" / f"{crop.id:06d}.png")
            picture = cv2.imread(path)
            draw_glasses(picture, transform(five_points(crop.landmarks), crop.matrix))
            cv2.imwrite(path, picture)
    for direction, (a, b) in {"worn by A": (glasses, faces_b), "worn by B": (faces_b, glasses)}.items():
        assert train(a, b, tmp_path / direction) == 2
    assert visible(glasses) > 0.9 * visible(faces_a)


def draw_glasses(picture: Any, five: Points) -> None:
    left, right = five[0], five[1]
    radius = int(0.42 * abs(right[0] - left[0]))
    for eye in (left, right):
        cv2.circle(picture, (int(eye[0]), int(eye[1])), radius, (20, 20, 20), max(2, radius // 8))
    bridge = [(int(eye[0] + sign * radius), int(eye[1])) for eye, sign in ((left, 1), (right, -1))]
    cv2.line(picture, *bridge, (20, 20, 20), max(2, radius // 8))


def visible(folder: Path) -> float:
    """Mean of the faces that training calls visible, of the crops that it has read."""
    masks = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in (folder / "visible-1").iterdir()]
    return float(sum(mask.mean() for mask in masks) / len(masks))


def test_sets_of_profiles_are_trained_on_with_a_warning_first(
    faces_a: Path, faces_b: Path, tmp_path: Path, heard: Heard
) -> None:
    a = changed(faces_a, tmp_path / "a", "UPDATE crops SET yaw = 62 + id % 5")
    b = changed(faces_b, tmp_path / "b", "UPDATE crops SET yaw = -64 + id % 5")
    assert train(a, b, tmp_path / "run", heard) == 2
    told = codes(heard)
    assert told.count("train.profile") == 2
    assert told.index("train.profile") < told.index("train.begin")
    heard.events.clear()
    train(faces_a, faces_b, tmp_path / "usual", heard)
    assert "train.profile" not in codes(heard)


def test_a_face_that_fills_its_crop_and_one_apart_from_its_features() -> None:
    """Landmarks of a profile or a blur may lie anywhere; there is nothing then to tell the face from."""
    skin = np.full((128, 128, 3), (200, 160, 140), np.uint8)
    full = {name: np.full((128, 128), 255, np.uint8) for name in MASKS}
    assert np.array_equal(visible_face(skin, full), full["face"])
    noise = np.random.default_rng(0).integers(0, 255, skin.shape, np.uint8)
    left, right = np.zeros((128, 128), np.uint8), np.zeros((128, 128), np.uint8)
    left[:, :20], right[:, 90:] = 255, 255
    apart = dict.fromkeys(MASKS, right) | {"face": left}
    for crop in (skin, noise):
        assert (visible_face(crop, apart) <= left).all()


# -- a face larger than the frame --------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.9, 0.75, 0.5])
@pytest.mark.parametrize("blend", ["mask", "poisson"])
def test_a_face_larger_than_the_frame(
    share: float, blend: str, tiny_run: Path, short_a: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is swapped as far as it is in the picture, or the video is refused since nobody is recognised in it."""
    video = close_up(short_a, share, tmp_path / "near.mp4")
    out = tmp_path / "out.mp4"
    words = ["convert", video, "--run", tiny_run, "--direction", "a2b", "--out", out, "--blend", blend]
    code = main([str(word) for word in [*words, "--label", "none", "--device", "cpu"]])
    told = capsys.readouterr().err
    assert "Traceback" not in told
    if code == 0:
        first, second = (frames_of(path, 1)[0] for path in (video, out))
        assert first.shape == second.shape
        assert first[first.shape[0] // 2].std() > 0
    else:
        assert code == 3
        assert "[convert.no_person]" in told
        assert not out.exists()


def close_up(clip: Path, share: float, path: Path) -> Path:
    """The clip cut to ``share`` of the face's box in its first frame, enlarged to 360 lines."""
    box = FaceFinder()(frames_of(clip, 1)[0])[0].box
    width, height = (box[2:] - box[:2]) * share
    x, y = (box[:2] + box[2:]) / 2 - (width / 2, height / 2)
    cut = f"crop={width:.0f}:{height:.0f}:{x:.0f}:{y:.0f},scale=-2:360,setsar=1"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(clip), "-vf", cut, "-frames:v", "10"]
    subprocess.run([*command, str(path)], check=True, timeout=60)
    return path


# -- weights -----------------------------------------------------------------------------------------------------------

Spoil = Callable[[bytes], bytes]
DAMAGE: dict[str, Spoil] = {
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "one bit": lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["mtcnn-o", "dlib-resnet"])
def test_a_conversion_with_damaged_weights_is_refused(
    name: str, damage: str, tiny_run: Path, short_a: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    genuine = weights.require(name)
    spoiled = tmp_path / "weights" / weights.WEIGHTS[name].file
    spoiled.parent.mkdir()
    spoiled.write_bytes(DAMAGE[damage](genuine.read_bytes()))
    monkeypatch.setenv("FACEENGINE_WEIGHTS", str(spoiled.parent))
    out = tmp_path / "out.mp4"
    line = refusal(capsys, "convert", short_a, "--run", tiny_run, "--direction", "a2b", "--out", out)
    assert "[weights.hash]" in line
    assert "remove it, then run" in line
    assert str(spoiled) in line
    assert not out.exists()


def test_a_training_with_damaged_weights_of_a_loss_is_refused(
    faces_a: Path, faces_b: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / weights.WEIGHTS["facenet-vggface2"].file).write_bytes(b"half a download")
    monkeypatch.setenv("FACEENGINE_WEIGHTS", str(folder))
    words = ["train", "--a", faces_a, "--b", faces_b, "--run", tmp_path / "run", "--preset", "tiny"]
    line = refusal(capsys, *words)
    assert "[weights.hash]" in line
    assert "weights --fetch" in line
    assert not (tmp_path / "run" / "checkpoints").exists()

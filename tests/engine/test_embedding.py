"""Embedders: the port equals dlib, chips are cut as dlib cuts them, and weights are loaded with care."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
import pytest
import torch

from faceengine import weights
from faceengine.embedding import DlibEmbedder, dlib_resnet, load_facenet, make_embedder
from faceengine.embedding.chips import dlib_chip, facenet_chip, five_points
from faceengine.embedding.dlib_resnet import DlibResNet, read_layers
from faceengine.errors import ConfigError, InputError
from faceengine.events import Message
from faceengine.files import sha256
from faceengine.geometry import CANONICAL_POINTS, Image, Points
from faceengine.video import read_frames


@dataclasses.dataclass(frozen=True)
class Seen:
    """A frame with the face that dlib itself finds in it."""

    image: Image
    shape: Any

    @property
    def landmarks(self) -> Points:
        return np.array([(point.x, point.y) for point in self.shape.parts()], dtype=np.float64)


def look(video: Path, frames: list[int]) -> list[Seen]:
    find, predict = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(weights.require("dlib-68")))
    seen = []
    for frame in read_frames(video):
        if frame.index in frames:
            boxes = find(frame.image, 1)
            assert boxes
            seen.append(Seen(frame.image, predict(frame.image, boxes[0])))
        if frame.index >= max(frames):
            break
    return seen


@pytest.fixture(scope="module")
def embedder() -> DlibEmbedder:
    return DlibEmbedder()


@pytest.fixture(scope="module")
def faces(short_a: Path) -> list[Seen]:
    return look(short_a, [0, 25, 49])


@pytest.fixture(scope="module")
def faces_of_b(short_b: Path) -> list[Seen]:
    return look(short_b, [0, 25, 49])


@pytest.fixture(scope="module")
def dlib_net() -> Any:
    return dlib.face_recognition_model_v1(str(weights.require("dlib-resnet")))


def test_the_port_equals_dlib_on_the_same_chip(embedder: DlibEmbedder, faces: list[Seen], dlib_net: Any) -> None:
    chips = [dlib.get_face_chip(seen.image, seen.shape, 150, 0.25) for seen in faces]
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    chips += [noise, np.zeros_like(noise), np.full_like(noise, 255)]
    theirs = np.array([dlib_net.compute_face_descriptor(chip) for chip in chips])
    np.testing.assert_allclose(embedder.batch(chips), theirs, atol=1e-4)


def test_chips_are_cut_as_dlib_cuts_them(embedder: DlibEmbedder, faces: list[Seen], dlib_net: Any) -> None:
    for seen in faces:
        theirs = dlib.get_face_chip(seen.image, seen.shape, 150, 0.25).astype(float)
        assert np.abs(dlib_chip(seen.image, seen.landmarks, 150) - theirs).mean() < 1
        reference = np.array(dlib_net.compute_face_descriptor(seen.image, seen.shape))
        (mine,) = embedder(seen.image, seen.landmarks[None])
        assert np.linalg.norm(mine - reference) < 0.05


def test_chips_of_large_faces_are_shrunk_as_dlib_shrinks_them(
    embedder: DlibEmbedder, faces: list[Seen], dlib_net: Any
) -> None:
    large = cv2.resize(faces[0].image, None, fx=3.0, fy=3.0, interpolation=cv2.INTER_CUBIC)
    # A pixel's centre x comes to lie at 3·(x + ½) − ½.
    landmarks = 3 * faces[0].landmarks + 1
    shape = dlib.full_object_detection(dlib.rectangle(), [dlib.point(int(x), int(y)) for x, y in landmarks])
    # dlib's pyramid rounds down twice, which leaves its chips two levels darker: hence not pixels but what is seen.
    theirs = np.array(dlib_net.compute_face_descriptor(large, shape))
    (mine,) = embedder(large, landmarks[None])
    assert np.linalg.norm(mine - theirs) < 0.05


def test_the_same_person_is_near_another_one_far(
    embedder: DlibEmbedder, faces: list[Seen], faces_of_b: list[Seen]
) -> None:
    a = np.concatenate([embedder(seen.image, seen.landmarks[None]) for seen in faces])
    b = np.concatenate([embedder(seen.image, seen.landmarks[None]) for seen in faces_of_b])
    same = [np.linalg.norm(one - other) for person in (a, b) for one, other in itertools.pairwise(person)]
    different = [np.linalg.norm(one - other) for one in a for other in b]
    assert max(same) < min(different)
    assert embedder.reading(float(np.median(same))) == "same"
    assert embedder.reading(float(np.median(different))) == "different"


def test_bfloat16_gives_nearly_the_same_vectors(
    embedder: DlibEmbedder, faces: list[Seen], faces_of_b: list[Seen]
) -> None:
    chips = [embedder.chip(seen.image, seen.landmarks) for seen in faces + faces_of_b]
    exact, rounded = embedder.batch(chips), DlibEmbedder(precision=torch.bfloat16).batch(chips)
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(rounded, axis=1)
    assert ((exact * rounded).sum(axis=1) / lengths).min() > 0.9999
    assert 0 < np.linalg.norm(exact - rounded, axis=1).max() < 0.03


def test_batches_give_what_single_chips_give(embedder: DlibEmbedder) -> None:
    chips = np.random.default_rng(1).integers(0, 256, (18, 150, 150, 3), dtype=np.uint8)
    together = embedder.batch(chips)
    assert together.shape == (18, 128)
    assert together.dtype == np.float64
    np.testing.assert_allclose(together[[0, 17]], embedder.batch([chips[0], chips[17]]), atol=1e-5)
    assert embedder.batch([]).shape == (0, 128)
    assert embedder(chips[0], np.empty((0, 68, 2))).shape == (0, 128)


@pytest.mark.parametrize(
    ("distance", "says"), [(0.0, "same"), (0.47, "same"), (0.48, "unsure"), (0.6, "unsure"), (0.61, "different")]
)
def test_readings(distance: float, says: str, embedder: DlibEmbedder) -> None:
    assert embedder.reading(distance) == says


# -- dlib's file ---------------------------------------------------------------------------------------------------


def test_all_layers_are_read() -> None:
    layers = list(read_layers(weights.require("dlib-resnet").read_bytes()))
    assert [layer.kind for layer in layers] == ["con", "affine"] * 29 + ["fc"]
    # A folded affine layer adds no parameter of its own: only its convolution's remain.
    kept = sum(layer.values.size for layer in layers if layer.kind != "affine")
    assert kept == sum(p.numel() for p in DlibResNet().parameters())


def test_a_hand_made_file_is_read() -> None:
    values = np.arange(3, dtype="<f4")
    tensor = b"\x01\x02" + b"\x01\x03" + b"\x01\x01" * 3 + values.tobytes()
    data = (
        b"before\x01\x07affine_" + tensor + b"between\x01\x05con_4" + tensor + b"\x02\x00\x01\x81\x03" + b"\x01\x02" * 5
    )
    affine, con = read_layers(data)
    assert (affine.kind, affine.geometry) == ("affine", ())
    assert (con.kind, con.geometry) == ("con", (256, -3, 2, 2, 2, 2, 2))
    np.testing.assert_array_equal(con.values, values)


@pytest.mark.parametrize("keep", [0, 100, 19_000, 1_000_000, 22_465_000])
def test_a_cut_off_file_is_refused(keep: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.dat"
    path.write_bytes(weights.require("dlib-resnet").read_bytes()[:keep])
    with pytest.raises(InputError) as error:
        dlib_resnet.load(path)
    assert error.value.code == "weights.damaged"


def test_another_network_is_refused() -> None:
    other = weights.require("dlib-resnet").with_name("mmod_human_face_detector.dat")
    with pytest.raises(InputError) as error:
        dlib_resnet.load(other)
    assert error.value.code == "weights.damaged"


# -- facenet -------------------------------------------------------------------------------------------------------


@pytest.fixture
def facenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, torch.nn.Module]:
    """InceptionResnetV1 with random weights, saved as the published file is (with its classifier) and entered as it."""
    from facenet_pytorch import InceptionResnetV1

    torch.manual_seed(0)
    net = InceptionResnetV1(classify=True, num_classes=8631).eval()
    path = tmp_path / "20180402-114759-vggface2.pt"
    torch.save(net.state_dict(), path)
    entry = dataclasses.replace(
        weights.WEIGHTS["facenet-vggface2"], size=path.stat().st_size, sha256=sha256(path), seen=True
    )
    monkeypatch.setitem(weights.WEIGHTS, "facenet-vggface2", entry)
    monkeypatch.setenv("FACEENGINE_WEIGHTS", str(tmp_path))
    net.classify = False
    return path, net


def test_facenet_is_loaded_and_fed_as_facenet_pytorch_does(facenet: tuple[Path, torch.nn.Module], heard: Any) -> None:
    from facenet_pytorch import fixed_image_standardization

    embedder = make_embedder("auto", on_event=heard)
    assert embedder.name == "facenet-vggface2"
    assert heard.events == []
    chip = np.random.default_rng(2).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    with torch.inference_mode():
        theirs = facenet[1](fixed_image_standardization(torch.from_numpy(chip).permute(2, 0, 1).float())[None])
    mine = embedder.batch([chip])
    assert mine.shape == (1, 512)
    np.testing.assert_allclose(mine, theirs.numpy(), atol=1e-5)
    assert np.linalg.norm(mine) == pytest.approx(1, abs=1e-5)


def test_facenet_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    for content in ({"conv2d_1a.conv.weight": torch.zeros(1)}, [torch.zeros(1)]):
        torch.save(content, path)
        with pytest.raises(InputError) as error:
            load_facenet(path)
        assert error.value.code == "weights.damaged"
    path.write_bytes(b"no pickle")
    with pytest.raises(InputError):
        load_facenet(path)


class Bomb:
    """What a file from a stranger may hold."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (Path.touch, (Path("exploded"),))  # type: ignore[return-value]


def test_facenet_weights_run_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Bomb()}, "bomb.pt")
    with pytest.raises(InputError):
        load_facenet(Path("bomb.pt"))
    assert not Path("exploded").exists()


def test_facenet_chip_shows_the_canonical_face_smaller_by_its_margin() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    landmarks = np.zeros((68, 2))
    landmarks[36:42], landmarks[42:48], landmarks[30], landmarks[48], landmarks[54] = CANONICAL_POINTS * 200 + 100
    for x, y in five_points(landmarks):
        cv2.circle(image, (round(float(x)), round(float(y))), 3, (255, 255, 255), -1)
    chip = facenet_chip(image, landmarks, 160)
    expected = ((CANONICAL_POINTS - 0.5) / 1.2 + 0.5) * 160 - 0.5
    for x, y in expected.round().astype(int):
        assert chip[y, x].min() > 200


# -- which one -----------------------------------------------------------------------------------------------------


def test_auto_without_facenet_takes_dlib_and_says_so(
    heard: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FACEENGINE_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert make_embedder("auto", on_event=heard).name == "dlib-resnet"
    (message,) = heard.events
    assert isinstance(message, Message)
    assert message.code == "embedding.dlib"


def test_facenet_asked_for_by_name_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACEENGINE_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError) as error:
        make_embedder("facenet-vggface2")
    assert error.value.code == "weights.missing"


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(ConfigError, match="arcface"):
        make_embedder("arcface")  # type: ignore[arg-type]

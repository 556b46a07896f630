"""The face set on disk: whole or not there, read by anyone, verdicts in place."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from faceengine.errors import InputError
from faceengine.faceset import MASKS, Crop, FaceSet, medoid


def crop(frame: int = 0, **changes: object) -> Crop:
    rng = np.random.default_rng(frame)
    values = {
        "input": "clip.mp4",
        "frame": frame,
        "time": frame / 25,
        "face": 0,
        "width": 640,
        "height": 480,
        "box": rng.normal(size=4),
        "points": rng.normal(size=(5, 2)),
        "score": 0.99,
        "matrix": rng.normal(size=(2, 3)),
        "landmarks": rng.normal(size=(68, 2)),
        "landmark_network": "dlib68",
        "embedding": rng.normal(size=128),
        "embedding_network": "dlib-resnet",
        "sharpness": 1.0,
        "brightness": 2.0,
        "face_size": 3.0,
        "yaw": 4.0,
        "pitch": 5.0,
        "roll": 6.0,
        "landmark_gap": 0.03,
        "hash": -(2**63) + frame,
    }
    return Crop(**(values | changes))  # type: ignore[arg-type]


def picture(seed: int, size: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


def masks(seed: int, size: int = 32) -> dict[str, np.ndarray]:
    return {name: picture(seed + index, size)[..., 0] for index, name in enumerate(MASKS)}


def add(faces: FaceSet, frame: int) -> int:
    with faces.transaction():
        faces.set_input("clip.mp4", sha256="0" * 64, next_frame=frame + 1, frames_read=1, frames_with_face=1, done=0)
        return faces.add(crop(frame), picture(frame), masks(frame))


def add_all(faces: FaceSet, crops: list[Crop]) -> None:
    for one in crops:
        faces.add(one, picture(1), masks(1))


def test_a_crop_comes_back_to_the_bit(tmp_path: Path) -> None:
    with FaceSet.create(tmp_path) as faces:
        number = add(faces, 7)
    with FaceSet.open(tmp_path) as faces:
        (read,) = faces.crops()
        assert np.array_equal(faces.image(number), picture(7))
        assert all(np.array_equal(faces.masks(number)[name], mask) for name, mask in masks(7).items())
    for field in dataclasses.fields(Crop):
        wanted = number if field.name == "id" else getattr(crop(7), field.name)
        assert np.array_equal(getattr(read, field.name), wanted), field.name


def test_a_failed_transaction_leaves_no_row_and_the_next_one_takes_its_picture(tmp_path: Path) -> None:
    with FaceSet.create(tmp_path) as faces:
        add(faces, 0)
        with pytest.raises(sqlite3.IntegrityError), faces.transaction():
            add_all(faces, [crop(1), crop(0)])
        assert len(faces) == 1
        number = add(faces, 2)
        assert np.array_equal(faces.image(number), picture(2))


def test_the_same_face_of_the_same_frame_is_never_there_twice(tmp_path: Path) -> None:
    with FaceSet.create(tmp_path) as faces:
        add(faces, 3)
        with pytest.raises(sqlite3.IntegrityError):
            add(faces, 3)
        assert len(faces) == 1


def test_verdicts_are_all_written_or_none(tmp_path: Path) -> None:
    with FaceSet.create(tmp_path) as faces:
        first, second = add(faces, 0), add(faces, 1)
        faces.set_verdicts({first: "reject", second: "keep"})
        assert [one.verdict for one in faces.crops()] == ["reject", "keep"]
        assert [one.id for one in faces.crops(usable=True)] == [second]
        with pytest.raises(sqlite3.IntegrityError):
            faces.set_verdicts({first: None, second: "perhaps"})
        assert [one.verdict for one in faces.crops()] == ["reject", "keep"]
        faces.set_verdicts({first: None})
        assert len(faces.crops(usable=True)) == 2


def test_a_reader_sees_nothing_half_written(tmp_path: Path) -> None:
    with FaceSet.create(tmp_path) as writer, FaceSet.open(tmp_path) as reader:
        with writer.transaction():
            writer.add(crop(0), picture(0), masks(0))
            assert len(reader) == 0
        assert len(reader) == 1


def test_settings_and_inputs_are_kept(tmp_path: Path) -> None:
    with FaceSet.create(tmp_path) as faces:
        assert faces.settings == {}
        faces.set_settings({"every": 6, "landmarks": "dlib68"})
        faces.set_settings({"every": 3})
        add(faces, 0)
    with FaceSet.create(tmp_path) as faces:
        assert faces.settings == {"every": 3, "landmarks": "dlib68"}
        assert faces.inputs()["clip.mp4"]["next_frame"] == 1


def test_what_is_no_set_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        FaceSet.open(tmp_path)
    assert caught.value.code == "faceset.missing"
    (tmp_path / "faces.sqlite").write_bytes(b"not a database at all, but long enough to look like one" * 40)
    with pytest.raises(InputError) as caught:
        FaceSet.open(tmp_path)
    assert caught.value.code == "faceset.damaged"


def test_a_set_of_another_format_is_refused(tmp_path: Path) -> None:
    FaceSet.create(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "faces.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InputError) as caught:
        FaceSet.open(tmp_path)
    assert caught.value.code == "faceset.format"


def test_a_lost_picture_is_said_so(tmp_path: Path) -> None:
    with FaceSet.create(tmp_path) as faces:
        number = add(faces, 0)
        (tmp_path / "crops" / f"{number:06d}.png").unlink()
        with pytest.raises(InputError) as caught:
            faces.image(number)
        assert caught.value.code == "faceset.picture"


def test_an_unfinished_set_has_no_summary(tmp_path: Path) -> None:
    with FaceSet.create(tmp_path) as faces:
        with pytest.raises(InputError) as caught:
            _ = faces.summary
        assert caught.value.code == "faceset.unfinished"
        faces.write_summary({"crops": 3})
        assert faces.summary == {"crops": 3}


def test_the_medoid_is_the_most_typical() -> None:
    points = np.array([[0.0, 0], [1, 0], [0, 1], [0.2, 0.2], [30, 30]])
    by_hand = np.linalg.norm(points[:, None] - points, axis=2).sum(axis=1).argmin()
    assert medoid(points) == by_hand == 3

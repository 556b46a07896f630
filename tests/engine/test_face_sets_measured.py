"""What an extraction notices: faces at the edge of the frame, faces that lie on their side, more than one person."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceengine.events import Message
from faceengine.extraction.config import ExtractConfig
from faceengine.extraction.extract import run
from faceengine.extraction.people import people
from faceengine.faceset import FaceSet
from faceengine.geometry import share_outside, warp
from faceengine.thresholds import MOST_OUTSIDE
from faceengine.training.people import load_person
from tests.engine.conversions import frames_of

CASES = Path(__file__).parent / "cases"


def extracted(inputs: Path, folder: Path, heard, **settings: int) -> Path:  # type: ignore[no-untyped-def]
    run(ExtractConfig(inputs=(inputs,), **settings), folder, on_event=heard)  # type: ignore[arg-type]
    return folder


def codes(heard) -> list[str]:  # type: ignore[no-untyped-def]
    return [event.code for event in heard.events if isinstance(event, Message)]


# -- the edge --------------------------------------------------------------------------------------------------------


def test_faces_at_the_edge_are_measured_told_and_left_out(tmp_path: Path, heard) -> None:  # type: ignore[no-untyped-def]
    folder = extracted(CASES / "face_at_the_edge.mp4", tmp_path / "set", heard, every=3)
    with FaceSet.open(folder) as faces:
        crops, usable, summary = faces.crops(), faces.crops(usable=True), faces.summary
        assert faces.at_edge() == len(crops) > 0
    assert all(0.3 < crop.outside < 0.9 for crop in crops)
    assert usable == []
    assert "extract.at_edge" in codes(heard)
    assert "extract.at_edge" in [one["code"] for one in summary["advice"]]


def test_a_face_within_its_frame_has_nothing_outside(faces_a: Path) -> None:
    with FaceSet.open(faces_a) as faces:
        assert all(crop.outside < 1e-3 for crop in faces.crops())
        (landmarks, *_) = (crop.landmarks for crop in faces.crops())
    middle = round(float((landmarks[:, 0].min() + landmarks[:, 0].max()) / 2))
    assert share_outside(landmarks, 640, 480) < 1e-3
    assert 0.3 < share_outside(landmarks, middle, 480) < 0.7
    assert share_outside(landmarks - 5000, 640, 480) > 0.999
    assert share_outside(np.empty((0, 2)), 640, 480) == 0


def test_training_counts_what_it_leaves_out(faces_a: Path, tmp_path: Path, heard) -> None:  # type: ignore[no-untyped-def]
    folder = Path(shutil.copytree(faces_a, tmp_path / "set"))
    with FaceSet.open(folder) as faces:
        for crop in faces.crops()[:3]:
            faces.update(crop.id, outside=MOST_OUTSIDE + 0.01)
        everything = len(faces)
    assert len(load_person("a", folder, 64, heard).crops) == everything - 3
    (said,) = [one for one in heard.events if isinstance(one, Message) and one.code == "train.at_edge"]
    assert said.text.startswith("3 crops of person A")


def test_a_set_of_the_format_before_is_measured_when_it_is_opened(tmp_path: Path, heard) -> None:  # type: ignore[no-untyped-def]
    folder = extracted(CASES / "face_at_the_edge.mp4", tmp_path / "set", heard, every=3)
    with FaceSet.open(folder) as faces:
        before = faces.crops()
    database = sqlite3.connect(folder / "faces.sqlite")
    database.execute("ALTER TABLE crops DROP COLUMN outside")
    database.execute("PRAGMA user_version = 2")
    database.commit()
    database.close()
    for _ in range(2):
        with FaceSet.open(folder) as faces:
            assert [crop.outside for crop in faces.crops()] == [crop.outside for crop in before]
            assert faces.crops(usable=True) == []


# -- on its side -----------------------------------------------------------------------------------------------------


def test_faces_on_their_side_and_on_their_head_are_found(short_a: Path, tmp_path: Path, heard) -> None:  # type: ignore[no-untyped-def]
    photos = tmp_path / "photos"
    photos.mkdir()
    image = frames_of(short_a, 1)[0]
    for quarters in range(4):
        cv2.imwrite(str(photos / f"{quarters}.png"), np.rot90(image, quarters)[..., ::-1])
    folder = extracted(photos, tmp_path / "set", heard)
    with FaceSet.open(folder) as faces:
        crops = faces.crops()
        upright = faces.image(crops[0].id)
        assert [Path(crop.input).stem for crop in crops] == ["0", "1", "2", "3"]
        for quarters, crop in enumerate(crops):
            frame = cv2.imread(crop.input)[..., ::-1]
            assert (crop.height, crop.width) == frame.shape[:2]
            # Whatever is told of a face is told in its own picture's pixels.
            assert cv2.PSNR(warp(np.ascontiguousarray(frame), crop.matrix, 256), faces.image(crop.id)) > 40
            assert cv2.PSNR(faces.image(crop.id), upright) > 30
            assert (crop.points > crop.box[:2]).all()
            assert (crop.points < crop.box[2:]).all()
            assert abs((crop.roll - crops[0].roll + 90 * quarters + 180) % 360 - 180) < 3
            assert abs(crop.yaw - crops[0].yaw) < 3
            assert np.linalg.norm(crop.embedding - crops[0].embedding) < 0.2


def test_a_clip_on_its_side_is_searched_so_from_then_on(short_a: Path, tmp_path: Path, heard) -> None:  # type: ignore[no-untyped-def]
    from faceengine.extraction.finder import FaceFinder
    from faceengine.extraction.turning import TurningFinder, turn

    finder = FaceFinder()
    searches = 0
    search = finder._mtcnn.search

    def counted(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> object:
        nonlocal searches
        searches += 1
        return search(image)

    finder._mtcnn.search = counted  # type: ignore[method-assign, assignment]
    turning = TurningFinder(finder)
    found = [turning(turn(image, 1)) for image in frames_of(short_a, 12)]
    assert [quarters for _, _, quarters in found] == [3] * 12
    assert all(len(faces) == 1 for _, faces, _ in found)
    assert searches <= 6
    turning.reset()
    searches = 0
    for image in frames_of(short_a, 12):
        assert turning(image)[2] == 0
    assert searches <= 2


# -- two people ------------------------------------------------------------------------------------------------------


def test_two_people_in_a_set_are_noticed(  # type: ignore[no-untyped-def]
    short_a: Path, short_b: Path, tmp_path: Path, heard
) -> None:
    settings = ExtractConfig(inputs=(short_a, short_b), every=5)
    run(settings, tmp_path / "set", on_event=heard)
    (said,) = [one for one in heard.events if isinstance(one, Message) and one.code == "extract.two_people"]
    assert "2 people (10, 10 crops" in said.text
    with FaceSet.open(tmp_path / "set") as faces:
        assert faces.summary["people"] == [10, 10]


def test_one_person_is_one_whichever_way_they_turn(faces_a: Path, faces_b: Path) -> None:
    with FaceSet.open(faces_a) as a, FaceSet.open(faces_b) as b:
        crops = a.crops(), b.crops()
    assert [len(people(one)) for one in crops] == [1, 1]
    assert [len(people([*one, *other[:5]])) for one, other in (crops, crops[::-1])] == [2, 2]
    assert people([]) == []


@pytest.mark.parametrize("network", ["unheard-of"])
def test_a_network_without_thresholds_tells_nobody_apart(faces_a: Path, network: str) -> None:
    import dataclasses

    with FaceSet.open(faces_a) as faces:
        crops = [dataclasses.replace(crop, embedding_network=network) for crop in faces.crops()]
    assert people(crops) == []

"""Whose faces footage shows: by real extractions of the two synthetic people's clips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from faceengine.extraction.config import ExtractConfig
from faceengine.extraction.extract import run
from faceengine.extraction.likeness import likeness
from faceengine.faceset import Crop, FaceSet
from faceengine.identity import LOOKS, SURE_LANDMARKS, looks, readings

DEMO = Path(__file__).parents[2] / "demo"
NETWORK = "dlib-resnet"


def crops_of(clip: str, every: int, folder: Path) -> list[Crop]:
    run(ExtractConfig(inputs=(DEMO / clip,), every=every, embedding="dlib-resnet"), folder)
    with FaceSet.open(folder) as faces:
        return faces.crops()


@pytest.fixture(scope="module")
def person_b(tmp_path_factory: pytest.TempPathFactory) -> list[Crop]:
    """84 crops of B, whose far profiles are hard."""
    return crops_of("person_b.mp4", 12, tmp_path_factory.mktemp("faces") / "b")


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> list[Crop]:
    """A, and A's face in B's place: hair, clothes and motion are B's."""
    folder = tmp_path_factory.mktemp("faces")
    return crops_of("person_a.mp4", 40, folder / "a") + crops_of("truth_b2a.mp4", 25, folder / "swapped")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is known of B by a recording of hers."""
    return likeness(DEMO / "held_out_b.mp4", tmp_path_factory.mktemp("likeness") / "set")


def known(recorded: dict[str, Any]) -> NDArray[np.float64]:
    return np.array(recorded["embeddings"])


def test_a_person_is_found_again_and_no_stranger(
    person_b: list[Crop], strangers: list[Crop], recorded: dict[str, Any]
) -> None:
    said = readings(person_b + strangers, known(recorded), NETWORK)
    of_b, of_others = said[: len(person_b)], said[len(person_b) :]
    assert "same" not in of_others
    assert of_others.count("unsure") <= 0.1 * len(of_others)  # who are left out, too
    left_out = [crop for crop, reading in zip(person_b, of_b, strict=True) if reading != "same"]
    assert len(left_out) <= 0.08 * len(person_b)
    well_marked = [crop for crop in left_out if crop.landmark_gap < SURE_LANDMARKS]
    assert len(well_marked) <= 0.05 * len(person_b)


def test_one_face_alone_knows_fewer(person_b: list[Crop], recorded: dict[str, Any]) -> None:
    typical = known(recorded)[:1]
    alone = [float(np.linalg.norm(crop.embedding - typical[0])) < 0.48 for crop in person_b]
    nearby = readings(person_b, typical, NETWORK).count("same")
    by_all = readings(person_b, known(recorded), NETWORK).count("same")
    assert sum(alone) < nearby <= by_all


def test_a_recording_tells_how_many_are_somebody_else(recorded: dict[str, Any]) -> None:
    assert recorded["network"] == NETWORK
    assert len(recorded["embeddings"]) == LOOKS
    assert recorded["faces"] >= 40
    assert recorded["others"] == 0


@dataclass(frozen=True)
class Made:
    """A face on a line: the network's space has one dimension that matters."""

    at: float
    yaw: float = 0.0
    pitch: float = 0.0
    landmark_gap: float = 0.0
    embedding_network: str = NETWORK

    @property
    def embedding(self) -> NDArray[np.float64]:
        return np.array([self.at, 0.0])


ORIGIN = np.zeros((1, 2))


def test_an_unsure_face_beside_a_sure_one_of_its_pose_is_sure() -> None:
    sure, unsure = Made(0.30), Made(0.55)
    assert readings([unsure], ORIGIN, NETWORK) == ["unsure"]
    assert readings([sure, unsure], ORIGIN, NETWORK) == ["same", "same"]
    assert readings([sure, replace(unsure, yaw=20)], ORIGIN, NETWORK) == ["same", "unsure"]
    assert readings([sure, replace(unsure, pitch=-20)], ORIGIN, NETWORK) == ["same", "unsure"]


def test_one_step_and_no_chain() -> None:
    assert readings([Made(0.15), Made(0.50), Made(0.59)], ORIGIN, NETWORK) == ["same", "same", "unsure"]


def test_who_is_different_stays_so() -> None:
    assert readings([Made(0.47), Made(0.61)], ORIGIN, NETWORK) == ["same", "different"]


def test_many_unsure_ones_are_looked_at_in_parts() -> None:
    faces = [Made(0.3), *(Made(0.5 + step / 10_000) for step in range(900)), Made(0.55, yaw=40)]
    said = readings(faces, ORIGIN, NETWORK)
    assert said[:-1] == ["same"] * 901
    assert said[-1] == "unsure"


def test_another_network_s_faces_are_not_judged() -> None:
    assert readings([Made(0.0, embedding_network="other"), Made(0.1)], ORIGIN, NETWORK) == [None, "same"]
    assert readings([Made(0.0, embedding_network="other")], ORIGIN, "other") == [None]
    assert readings([], ORIGIN, NETWORK) == []


def test_a_person_is_known_by_looks_that_are_surely_theirs() -> None:
    faces = [Made(0.0), Made(0.1), Made(0.4), Made(0.45, landmark_gap=0.2), Made(0.5), Made(-0.3)]
    assert looks(faces, 0) == [0, 2, 5]
    assert looks([Made(0.0), Made(0.0)], 0) == [0]

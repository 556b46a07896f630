"""Warnings before a training: poses, sharpness and size of what it will learn from."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from faceengine.faceset import Crop, FaceSet
from faceengine.training.advice import advise
from tests.engine.conftest import Heard


@pytest.fixture(scope="module")
def crops(faces_a: Path) -> list[Crop]:
    with FaceSet.open(faces_a) as faces:
        return [dataclasses.replace(crop, yaw=0.0, pitch=0.0, face_size=150.0) for crop in faces.crops()[:30]]


def codes(heard: Heard) -> list[str]:
    return [event.code for event in heard.events]


def test_sets_that_are_alike_need_no_advice(crops: list[Crop], heard: Heard) -> None:
    advise({"a": crops, "b": crops}, 128, heard)
    assert codes(heard) == []


def test_what_one_set_lacks_is_named(crops: list[Crop], heard: Heard) -> None:
    turned = [dataclasses.replace(crop, yaw=40.0) for crop in crops[:10]] + crops[10:]
    soft = [dataclasses.replace(crop, sharpness=crop.sharpness / 5) for crop in turned]
    small = [dataclasses.replace(crop, face_size=60.0) for crop in soft]
    advise({"a": crops, "b": small}, 128, heard)
    assert codes(heard) == ["train.poses", "train.blurred", "train.small"]
    poses, blurred, sizes = (event.text for event in heard.events)
    assert "person A has no face looking to the right" in poses
    assert "person B are much softer than those of person A" in blurred
    assert "60 pixels" in sizes

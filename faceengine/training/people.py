"""Reading the two face sets of a run: are they fit to be trained on, and who is in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from faceengine.errors import InputError
from faceengine.events import Message, OnEvent
from faceengine.faceset import Crop, FaceSet, medoid
from faceengine.training.pictures import Pictures, check_pictures

FEWEST = 25
"""Crops below which training is refused."""
FEW = 250
"""Crops below which the run warns."""


@dataclass(frozen=True)
class Person:
    """One side of a run: the usable crops of its set, their pictures, and how the person is recognised."""

    crops: list[Crop]
    pictures: Pictures
    record: dict[str, Any]
    """What a checkpoint keeps: ``network``, ``medoid``, ``crops``; nothing of where it was trained."""


def load_person(name: str, folder: Path, size: int, on_event: OnEvent) -> Person:
    """Read a set. Raises :class:`InputError` if it is missing, damaged, without landmarks or below 25 crops."""
    with FaceSet.open(folder) as faces:
        crops = faces.crops(usable=True)
        _check(name, folder, crops, on_event)
        check_pictures(faces, crops)
        pictures = Pictures(faces, crops, size)
    embeddings = np.stack([crop.embedding for crop in crops])
    record = {
        "network": crops[0].embedding_network,
        "medoid": embeddings[medoid(embeddings)].tolist(),
        "crops": len(crops),
    }
    return Person(crops, pictures, record)


def _check(name: str, folder: Path, crops: list[Crop], on_event: OnEvent) -> None:
    if len(crops) < FEWEST:
        text = f"{folder} has {len(crops)} usable crops of person {name.upper()}; training needs at least {FEWEST}"
        raise InputError("train.too_few", text)
    if any(crop.landmarks.shape != (68, 2) or not np.isfinite(crop.landmarks).all() for crop in crops):
        raise InputError("train.no_landmarks", f"{folder} has crops without landmarks: extract it again")
    if len({crop.embedding_network for crop in crops}) > 1:
        raise InputError("train.mixed_embeddings", f"{folder} mixes embeddings of different networks: extract it again")
    if len(crops) < FEW:
        text = (
            f"person {name.upper()} has {len(crops)} crops; from {FEW} on, and best 500 to 5,000, swaps get much better"
        )
        on_event(Message("warning", "train.few", text))

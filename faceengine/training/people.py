"""Reading the two face sets of a run: are they fit to be trained on, and who is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from faceengine.errors import InputError
from faceengine.events import Message, OnEvent
from faceengine.faceset import Crop, FaceSet, medoid
from faceengine.identity import readings
from faceengine.reference import References
from faceengine.thresholds import MOST_OUTSIDE, THRESHOLDS
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
        _tell_of_edges(name, faces, on_event)
        crops = _of_who_agreed(name, folder, crops, on_event)
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


def _tell_of_edges(name: str, faces: FaceSet, on_event: OnEvent) -> None:
    if count := faces.at_edge():
        text = (
            f"{count} crops of person {name.upper()} are left out: more than {MOST_OUTSIDE:.0%} of the face lies "
            "outside the frame"
        )
        on_event(Message("warning", "train.at_edge", text))


def _of_who_agreed(name: str, folder: Path, crops: list[Crop], on_event: OnEvent) -> list[Crop]:
    """Leave out whoever is surely not the person in the consent's recording, if a studio has given us one.

    Raises :class:`InputError` ``train.other_person`` if that is most of the set.
    """
    references = References.here()
    known = references.people.get(name) if references is not None else None
    if known is None:
        return crops
    said = readings(crops, known.embeddings, known.network)
    kept = [crop for crop, reading in zip(crops, said, strict=True) if reading != "different"]
    others = len(crops) - len(kept)
    if others > len(kept):
        text = f"{others} of the {len(crops)} usable crops in {folder} show somebody else than the person who agreed"
        raise InputError("train.other_person", text)
    if others:
        text = f"{others} crops in the set of person {name.upper()} show somebody else and are left out"
        on_event(Message("warning", "train.other_crops", text))
    return kept


def require_same_people(before: Mapping[str, dict[str, Any]], now: Mapping[str, dict[str, Any]]) -> None:
    """Refuse to go on with other people than a checkpoint's; both are records by ``a`` and ``b``, as :class:`Person`
    has them. A set that has grown or lost crops is still its person's.

    Raises :class:`InputError` ``train.exchanged`` and ``train.other_people``. Embeddings of different networks can't
    be compared, and pass.
    """
    own = {side: _apart(before[side], now[side]) for side in ("a", "b")}
    crossed = [_apart(before["a"], now["b"]), _apart(before["b"], now["a"])]
    if None in own.values() or None in crossed:
        return
    if sum(filter(None, crossed)) < sum(filter(None, own.values())):
        text = "the run was trained with A and B the other way round: exchange --a and --b, or choose another --run"
        raise InputError("train.exchanged", text)
    for side, distance in own.items():
        if THRESHOLDS[now[side]["network"]].reading(distance or 0.0) == "different":
            text = f"person {side.upper()} is not the one that the run was trained with: choose another --run"
            raise InputError("train.other_people", text)


def _apart(one: dict[str, Any], other: dict[str, Any]) -> float | None:
    """Distance of two people's most typical faces; ``None`` if they can't be compared."""
    if one["network"] != other["network"] or one["network"] not in THRESHOLDS:
        return None
    return float(np.linalg.norm(np.array(one["medoid"]) - np.array(other["medoid"])))


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

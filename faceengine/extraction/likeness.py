"""How somebody looks to the network that tells people apart: a few faces of one video, the most typical first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faceengine.extraction.config import ExtractConfig
from faceengine.extraction.extract import run
from faceengine.faceset import Crop, FaceSet
from faceengine.identity import looks
from faceengine.thresholds import THRESHOLDS
from faceengine.video.reading import probe

EVERY = 5
MOST_FRAMES = 150
"""Somebody waits for the answer, so a long video is looked at in larger steps."""


def likeness(video: Path, folder: Path) -> dict[str, Any]:
    """``{"network", "faces", "others", "embeddings"}`` of the person whom most faces in ``video`` show.

    As :func:`likeness_of`. Raises as extraction does.
    """
    return likeness_of(faces_of(video, folder, max(EVERY, -(-probe(video).frames // MOST_FRAMES))))


def faces_of(video: Path, folder: Path, every: int) -> list[Crop]:
    """Return the faces in every ``every``-th frame that a network has told apart. Raises as extraction does."""
    run(ExtractConfig(inputs=(video,), every=every), folder)
    with FaceSet.open(folder) as faces:
        return [crop for crop in faces.crops() if crop.medoid_distance is not None]


def of_the_person(crops: Sequence[Crop]) -> list[Crop]:
    """Return the faces that are not surely somebody else's than whom most of them show, one a frame."""
    near: dict[int, Crop] = {}
    for crop in crops:
        before = near.get(crop.frame)
        if _is_theirs(crop) and (before is None or _distance(crop) < _distance(before)):
            near[crop.frame] = crop
    return [near[frame] for frame in sorted(near)]


def likeness_of(crops: Sequence[Crop]) -> dict[str, Any]:
    """Return ``{"network", "faces", "others", "embeddings"}`` of the person whom most of ``crops`` show.

    ``faces`` is how many there are; without any there is nothing else. ``others`` is how many of them are somebody
    else's, or no face at all. The first embedding is of the face that all others are nearest to, the rest are of that
    person's other looks (:func:`faceengine.identity.looks`).
    """
    if not crops:
        return {"faces": 0}
    typical = min(range(len(crops)), key=lambda place: _distance(crops[place]))
    others = sum(not _is_theirs(crop) for crop in crops)
    embeddings = [crops[place].embedding.tolist() for place in looks(crops, typical)]
    return {
        "network": crops[typical].embedding_network,
        "faces": len(crops),
        "others": others,
        "embeddings": embeddings,
    }


def _distance(crop: Crop) -> float:
    return crop.medoid_distance or 0.0


def _is_theirs(crop: Crop) -> bool:
    return _distance(crop) <= THRESHOLDS[crop.embedding_network].different

"""What only a whole set tells: its typical face, its near duplicates, its poses."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np

from faceengine.extraction import coverage, quality
from faceengine.faceset import FORMAT, Crop, FaceSet, medoid

_MEDOID_SAMPLE = 4000


def measure_together(faces: FaceSet, crops: list[Crop]) -> int:
    """Write ``medoid_distance`` and ``near_duplicates`` of all ``crops``; the number of groups of near duplicates."""
    embeddings = np.stack([crop.embedding for crop in crops])
    # The medoid compares all with all: beyond some thousands an even sample finds the same typical face.
    sample = embeddings[:: math.ceil(len(embeddings) / _MEDOID_SAMPLE)]
    distances = np.linalg.norm(embeddings - sample[medoid(sample)], axis=1)
    groups = quality.near_duplicates(np.array([crop.hash for crop in crops]))
    with faces.transaction():
        for crop, distance, group in zip(crops, distances, groups, strict=True):
            faces.update(crop.id, medoid_distance=float(distance), near_duplicates=crops[group].id)
    return len(set(groups.tolist()))


def summary(
    faces: FaceSet,
    crops: list[Crop],
    groups: int,
    people: list[int],
    advice: list[tuple[str, str]],
    started: datetime,
) -> dict[str, Any]:
    """``faces.json`` of a set that was extracted to its end; ``people`` is how many crops show each person."""
    rows, settings = faces.inputs(), faces.settings
    return {
        "format": FORMAT,
        "frames_read": sum(row["frames_read"] for row in rows.values()),
        "frames_with_face": sum(row["frames_with_face"] for row in rows.values()),
        "crops": len(crops),
        **{name: settings[name] for name in ("size", "every", "min_face")},
        "networks": {name: settings[name] for name in ("detector", "landmarks", "embedding")},
        "inputs": [{"name": name, **row, "done": bool(row["done"])} for name, row in rows.items()],
        "coverage": coverage.coverage((crop.yaw, crop.pitch) for crop in crops),
        "near_duplicate_groups": groups,
        "people": people,
        "advice": [{"code": code, "text": text} for code, text in advice],
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }

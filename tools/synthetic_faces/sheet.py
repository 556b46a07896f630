"""Contact sheets of shards, to look at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.synthetic_faces.shards import Shard, shards


def _with_labels(image: NDArray[np.uint8], shard: Shard, person: int, crop: int) -> NDArray[np.uint8]:
    labels = shard.labels(person, crop)
    tinted = 0.45 * image + 0.55 * labels[..., :3]
    shown = np.where(labels[..., 3:] > 127, tinted, 0.4 * tinted).astype(np.uint8)
    for x, y in shard.landmarks[person, crop]:
        cv2.circle(shown, (round(float(x)), round(float(y))), 1, (255, 255, 0), -1)
    return shown


def contact_sheet(
    folder: Path, out: Path, *, group: int = 0, people: int = 8, crops: int = 10, first: int = 0, labels: bool = False
) -> None:
    """Write people (rows) in the same scenes (columns); with ``labels`` masks and landmarks drawn over them."""
    files = shards(folder)
    if not files:
        raise FileNotFoundError(f"{folder} has no finished shard yet.")
    shard = Shard(files[group])
    columns = range(first, min(first + crops, shard.crops))
    rows = []
    for person in range(min(people, shard.people)):
        cells = []
        for crop in columns:
            image = shard.image(person, crop)
            cells.append(_with_labels(image, shard, person, crop) if labels else image)
        rows.append(np.concatenate(cells, axis=1))
    cv2.imwrite(str(out), np.concatenate(rows)[..., ::-1])

"""Whose face is it: similarity to a person, the yardsticks it is read against, and what a distance means."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceengine.embedding import Embedder, Embeddings
from faceengine.errors import InputError
from faceengine.evaluation.hues import hues, total
from faceengine.evaluation.sharpness import detail_energy
from faceengine.faceset import Crop, FaceSet
from faceengine.geometry import transform
from faceengine.identity import distances

# Distances of all pairs of 5,000 crops and 10,000 frames would be 400 MB; 1,000 evenly taken crops say the same.
_PAIR_CROPS = 1000
_LOOKED_AT = 100


@dataclass(frozen=True)
class Reference:
    """The crops of one person that nobody rejected, as one network sees them."""

    crops: list[Crop]
    embeddings: Embeddings
    """``(N, D)``, in the order of ``crops``: by input and frame."""
    detail: float | None
    """Median high-frequency energy of the crops' faces (``sharpness.py``)."""
    hues: NDArray[np.int64]
    """Colours of the crops' faces (``hues.py``)."""

    @property
    def mean(self) -> NDArray[np.float64]:
        """``(D,)``: what a face of this person is compared with."""
        return np.asarray(self.embeddings.mean(axis=0))


def load_reference(folder: Path, embedder: Embedder) -> Reference:
    """The usable crops of a face set. Embeddings are the set's own if the same network made them, else made anew.

    Raises :class:`InputError` ``score.empty_set`` for a set without usable crops.
    """
    with FaceSet.open(folder) as faces:
        crops = sorted(faces.crops(usable=True), key=lambda crop: (crop.input, crop.frame, crop.face))
        if not crops:
            raise InputError("score.empty_set", f"{folder} has no usable crop")
        detail, colours = _look(faces, crops)
        if {crop.embedding_network for crop in crops} == {embedder.name}:
            return Reference(crops, np.stack([crop.embedding for crop in crops]), detail, colours)
        chips = (embedder.chip(faces.image(crop.id), transform(crop.landmarks, crop.matrix)) for crop in crops)
        return Reference(crops, _in_batches(embedder, chips), detail, colours)


def _look(faces: FaceSet, crops: list[Crop]) -> tuple[float | None, NDArray[np.int64]]:
    """Median detail and all hues of at most 100 crops, evenly taken."""
    chosen = crops[:: max(len(crops) // _LOOKED_AT, 1)]
    seen = [(faces.image(crop.id), transform(crop.landmarks, crop.matrix)) for crop in chosen]
    energies = [energy for image, points in seen if (energy := detail_energy(image, points)) is not None]
    colours = total(hues(image, points) for image, points in seen)
    return float(np.median(energies)) if energies else None, colours


def _in_batches(embedder: Embedder, chips: Any) -> Embeddings:
    gatherer = Gatherer(embedder)
    for chip in chips:
        gatherer.add(chip)
    return gatherer.embeddings()


class Gatherer:
    """Runs chips through a network in batches, so that frames can be streamed."""

    _BATCH = 16

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._waiting: list[Any] = []
        self._done: list[Embeddings] = []
        self._count = 0

    def add(self, chip: Any) -> int:
        """Take one chip; the row that its embedding will have."""
        self._waiting.append(chip)
        self._count += 1
        if len(self._waiting) == self._BATCH:
            self._run()
        return self._count - 1

    def embeddings(self) -> Embeddings:
        """``(N, D)`` of all chips so far."""
        self._run()
        return np.concatenate(self._done) if self._done else np.empty((0, self._embedder.dimensions))

    def _run(self) -> None:
        if self._waiting:
            self._done.append(self._embedder.batch(self._waiting))
            self._waiting = []


def cosines(embeddings: Embeddings, person: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine of each row of ``(N, D)`` with ``(D,)``: ``(N,)`` in [-1, 1]."""
    return np.asarray(embeddings @ person / (np.linalg.norm(embeddings, axis=1) * np.linalg.norm(person)))


def ceiling(embeddings: Embeddings) -> float | None:
    """The person against themselves: each half of ``(N, D)`` against the mean of the other half; ``None`` below 4 rows.

    Halves follow each other in time, since a frame and its neighbour are nearly one picture and would flatter.
    """
    if len(embeddings) < 4:
        return None
    first, second = np.array_split(embeddings, 2)
    both = np.concatenate([cosines(first, second.mean(axis=0)), cosines(second, first.mean(axis=0))])
    return float(both.mean())


def pair_distances(embeddings: Embeddings, others: Embeddings) -> NDArray[np.float64]:
    """Euclidean distance of every row of ``(N, D)`` to every (at most 1,000, evenly taken) of ``(M, D)``."""
    return distances(embeddings, others[:: max(len(others) // _PAIR_CROPS, 1)])


def readings(distances: NDArray[np.float64], embedder: Embedder) -> dict[str, float]:
    """The share of distances that read ``same``, ``unsure`` and ``different``."""
    counts = Counter(embedder.reading(float(distance)) for distance in distances.ravel())
    return {name: counts[name] / max(distances.size, 1) for name in ("same", "unsure", "different")}

"""Whose faces are these? Crops of footage against a few faces that are known to be the person's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceengine.thresholds import THRESHOLDS, Reading

LOOKS = 3
"""How many faces a person is known by. A stranger has as many chances to resemble one by accident, so no more."""
SURE_LANDMARKS = 0.12
"""Landmark gap above which the landmarks, and with them the embedding, are probably wrong."""
NEAR = 0.75
"""Of the threshold for the same person: so near to a crop that is sure, a crop of the same pose is as sure."""
SAME_POSE = 15.0
"""Degrees of yaw and of pitch."""
_BLOCK = 200


class Face(Protocol):
    """What is asked of a crop."""

    @property
    def embedding(self) -> NDArray[np.float64]: ...
    @property
    def embedding_network(self) -> str: ...
    @property
    def yaw(self) -> float: ...
    @property
    def pitch(self) -> float: ...
    @property
    def landmark_gap(self) -> float: ...


def looks(faces: Sequence[Face], typical: int) -> list[int]:
    """Which of ``faces``, all of one network, a person is best known by: the ``typical`` one, and then the one that is
    farthest from those chosen, up to :data:`LOOKS`; only such as are surely the person of the typical one."""
    embeddings = np.stack([face.embedding for face in faces])
    same = THRESHOLDS[faces[typical].embedding_network].same
    fit = np.array([face.landmark_gap < SURE_LANDMARKS for face in faces])
    fit &= distances(embeddings, embeddings[[typical]])[:, 0] < same
    chosen = [typical]
    while len(chosen) < LOOKS:
        apart = np.where(fit, distances(embeddings, embeddings[chosen]).min(axis=1), 0.0)
        farthest = int(apart.argmax())
        if apart[farthest] <= 0:
            break
        chosen.append(farthest)
    return chosen


def readings(faces: Sequence[Face], known: NDArray[np.float64], network: str) -> list[Reading | None]:
    """What to say of each face, given ``(K, D)`` embeddings of the person by ``network``; ``None`` where another
    network embedded the face, or it has no thresholds.

    A face is the same person if it is under the threshold from one of ``known``. Far profiles and odd light are not,
    though the face next to them is: so one that is *unsure* is the same person too if it is very near
    (:data:`NEAR`) to a face of the same pose that the first rule is sure of. This is one step and no chain: a
    stranger who passed by accident would bring others of theirs along. Who is different stays so.
    """
    found: list[Reading | None] = [None] * len(faces)
    places = [place for place, face in enumerate(faces) if face.embedding_network == network]
    if network not in THRESHOLDS or not places:
        return found
    for place, reading in zip(places, _readings([faces[place] for place in places], known, network), strict=True):
        found[place] = reading
    return found


def _readings(faces: list[Face], known: NDArray[np.float64], network: str) -> list[Reading]:
    thresholds = THRESHOLDS[network]
    embeddings = np.stack([face.embedding for face in faces])
    poses = np.array([(face.yaw, face.pitch) for face in faces])
    said = [thresholds.reading(float(distance)) for distance in distances(embeddings, known).min(axis=1)]
    sure = np.array([reading == "same" for reading in said])
    unsure = np.flatnonzero([reading == "unsure" for reading in said])
    for start in range(0, len(unsure), _BLOCK):  # a set may have 50,000 crops
        block = unsure[start : start + _BLOCK]
        linked = distances(embeddings[block], embeddings[sure]) < NEAR * thresholds.same
        for axis in (0, 1):
            linked &= np.abs(poses[block, axis][:, None] - poses[sure, axis]) < SAME_POSE
        for place in block[linked.any(axis=1)]:
            said[place] = "same"
    return said


def distances(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean distance of every row of ``(N, D)`` to every row of ``(M, D)``: ``(N, M)``."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))

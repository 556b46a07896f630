"""How many people does a face set show? Faces that resemble each other are linked into groups."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from faceengine.faceset import Crop, medoid
from faceengine.identity import SURE_LANDMARKS, distances
from faceengine.thresholds import THRESHOLDS

SAMPLE = 3000
"""Crops that are compared with each other; of larger sets an even sample."""
FEWEST, LEAST = 3, 0.02
"""A group is a person from so many crops on, and from that share of all: less is a passer-by or an odd face."""


def people(crops: Sequence[Crop]) -> list[int]:
    """Return how many crops show each person, the largest number first, about; empty where nobody can tell.

    Two crops under the threshold of the same person are linked, and so are those that they are linked with: a head
    that turns is one group. Groups whose typical faces are not surely different are one person.
    """
    network = crops[0].embedding_network if crops else ""
    fit = [crop for crop in crops if crop.embedding_network == network and crop.landmark_gap < SURE_LANDMARKS]
    if network not in THRESHOLDS or not fit:
        return []
    step = math.ceil(len(fit) / SAMPLE)
    embeddings = np.stack([crop.embedding for crop in fit[::step]])
    groups = sorted(_groups(embeddings, THRESHOLDS[network].same), key=len, reverse=True)
    typical = [group[medoid(embeddings[group])] for group in groups]
    found: list[list[int]] = []
    for place in range(len(groups)):
        apart = distances(embeddings[[typical[place]]], embeddings[[typical[one[0]] for one in found]])
        near = [one for one, distance in zip(found, apart[0], strict=True) if not _differ(network, float(distance))]
        if near:
            near[0].append(place)
        else:
            found.append([place])
    sizes = [sum(len(groups[place]) for place in one) for one in found]
    enough = max(FEWEST / step, LEAST * len(embeddings))
    return sorted((size * step for size in sizes if size >= enough), reverse=True)


def advice(found: list[int]) -> list[tuple[str, str]]:
    """(code, sentence) for a set that shows more than one person; ``found`` is what :func:`people` says of it."""
    if len(found) < 2:
        return []
    counts = ", ".join(map(str, found))
    text = (
        f"the crops show {len(found)} people ({counts} crops of each): a set must be of one person. Extract footage "
        "that shows nobody else, or reject the crops of the others"
    )
    return [("extract.two_people", text)]


def _differ(network: str, distance: float) -> bool:
    return THRESHOLDS[network].reading(distance) == "different"


def _groups(embeddings: np.ndarray[tuple[int, ...], np.dtype[np.float64]], same: float) -> list[list[int]]:
    """Return the connected groups of the rows, nearer than ``same`` being linked."""
    left = np.ones(len(embeddings), bool)
    groups: list[list[int]] = []
    while left.any():
        group: list[int] = []
        border = [int(left.argmax())]
        left[border] = False
        while border:
            group += border
            near = (distances(embeddings[border], embeddings) < same).any(axis=0) & left
            border = np.flatnonzero(near).tolist()
            left[border] = False
        groups.append(group)
    return groups

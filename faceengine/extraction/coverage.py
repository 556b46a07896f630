"""Which ways the faces of a set look, and what one set lacks that another has: a swap fails at just that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from faceengine.thresholds import MOST_OUTSIDE

YAW_EDGES = (-90, -50, -30, -10, 10, 30, 50, 90)
PITCH_EDGES = (-90, -25, -8, 8, 25, 90)
FEW, SOME = 25, 250

_YAWS = (
    "far to the left",
    "to the left",
    "slightly to the left",
    "straight ahead",
    "slightly to the right",
    "to the right",
    "far to the right",
)
_PITCHES = ("far down", "down", "", "up", "far up")


def coverage(poses: Iterable[tuple[float, float]]) -> dict[str, Any]:
    """The histogram of (yaw, pitch) in degrees: ``{"yaw_edges", "pitch_edges", "counts"}``.

    ``counts[y][p]`` is the number of faces in yaw bin y and pitch bin p; left and right are those of the picture.
    """
    angles = np.array(list(poses), dtype=float).reshape(-1, 2)
    yaw = np.clip(np.digitize(angles[:, 0], YAW_EDGES) - 1, 0, len(YAW_EDGES) - 2)
    pitch = np.clip(np.digitize(angles[:, 1], PITCH_EDGES) - 1, 0, len(PITCH_EDGES) - 2)
    counts = np.zeros((len(YAW_EDGES) - 1, len(PITCH_EDGES) - 1), int)
    np.add.at(counts, (yaw, pitch), 1)
    return {"yaw_edges": list(YAW_EDGES), "pitch_edges": list(PITCH_EDGES), "counts": counts.tolist()}


def compare(
    one: dict[str, Any], other: dict[str, Any], name_one: str = "person A", name_other: str = "person B"
) -> list[str]:
    """What each of two :func:`coverage` lacks that the other has, a sentence a gap, the largest gap first.

    A gap is a pose that at least 2 % of one side's faces have (and three of them), while on the other side it is less
    than a fifth as frequent. Mirrored training pictures fill a gap left or right halfway, so it is a warning, no error.
    """
    counts = [np.array(side["counts"]) for side in (one, other)]
    shares = [count / max(1, count.sum()) for count in counts]
    gaps: list[tuple[float, str]] = []
    for has, lacks, name_has, name_lacks in ((0, 1, name_one, name_other), (1, 0, name_other, name_one)):
        missing = (shares[has] >= 0.02) & (counts[has] >= 3) & (shares[lacks] < shares[has] / 5)
        for yaw, pitch in np.argwhere(missing):
            gap = float(shares[has][yaw, pitch] - shares[lacks][yaw, pitch])
            gaps.append((gap, _sentence(yaw, pitch, counts[has], counts[lacks], name_has, name_lacks)))
    return [text for _, text in sorted(gaps, key=lambda gap: -gap[0])]


def advice(crops: int) -> list[tuple[str, str]]:
    """(code, sentence) for a set of that many crops that is smaller than training likes."""
    if crops < FEW:
        text = f"{crops} crops are too few to train on: at least {FEW}, better 500 to 5,000"
        return [("extract.few", text + "; take a longer video, a smaller --every, or more photos")]
    if crops < SOME:
        text = f"{crops} crops are few: 500 to 5,000 with many angles, expressions and lights give a good swap"
        return [("extract.some", text)]
    return []


def edge_advice(at_edge: int) -> list[tuple[str, str]]:
    """(code, sentence) for a set in which so many faces lie partly outside the frame."""
    if not at_edge:
        return []
    text = f"{at_edge} faces lie more than {MOST_OUTSIDE:.0%} outside the frame; training leaves them out"
    return [("extract.at_edge", text)]


def _sentence(yaw: int, pitch: int, has: Any, lacks: Any, name_has: str, name_lacks: str) -> str:
    looks = " and ".join(filter(None, (_YAWS[yaw], _PITCHES[pitch])))
    number = lacks[yaw, pitch]
    lacking = "no face" if number == 0 else "only one face" if number == 1 else f"only {number} faces"
    return f"{name_lacks} has {lacking} looking {looks}; {name_has} has {has[yaw, pitch]}"

"""What two sets lack, said before hours are spent on them: the front, poses, sharpness and size of the faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from faceengine.events import Message, OnEvent
from faceengine.extraction.coverage import compare, coverage
from faceengine.faceset import Crop

MOST_GAPS = 3
"""Poses that are named; the rest are counted."""
BLURRED = 0.4
"""Share of the other person's sharpness below which a set is called blurred."""
SMALL = 0.6
"""Share of the model's side below which faces in the footage are called small."""
TURNED = 30.0
"""Degrees of yaw from which on a face is seen from the side."""
PROFILE = 0.8
"""Share of such faces from which on a set is called one of profiles."""


def advise(crops: Mapping[str, Sequence[Crop]], size: int, on_event: OnEvent) -> None:
    """Warn of what the sets of ``a`` and ``b`` lack for a model of ``size`` pixels."""
    for code, text in [*_profiles(crops), *_poses(crops), *_sharpness(crops), *_sizes(crops, size)]:
        on_event(Message("warning", code, text))


def _poses(crops: Mapping[str, Sequence[Crop]]) -> list[tuple[str, str]]:
    seen = {person: coverage((crop.yaw, crop.pitch) for crop in found) for person, found in crops.items()}
    gaps = compare(seen["a"], seen["b"])
    if not gaps:
        return []
    more = f"; and {len(gaps) - MOST_GAPS} more such poses" if len(gaps) > MOST_GAPS else ""
    return [("train.poses", "; ".join(gaps[:MOST_GAPS]) + more + ": the swap will be worst there")]


def _profiles(crops: Mapping[str, Sequence[Crop]]) -> list[tuple[str, str]]:
    """Poses compare the sets with each other: two that both lack the front lack nothing of one another."""
    found = []
    for person, faces in sorted(crops.items()):
        turned = sum(abs(crop.yaw) > TURNED for crop in faces)
        if turned >= PROFILE * len(faces):
            text = f"{turned} of the {len(faces)} faces of person {person.upper()} are seen from the side"
            found.append(("train.profile", f"{text}: a swap of faces seen from the front will be poor"))
    return found


def _sharpness(crops: Mapping[str, Sequence[Crop]]) -> list[tuple[str, str]]:
    median = {person: float(np.median([crop.sharpness for crop in found])) for person, found in crops.items()}
    worse, better = sorted(median, key=median.__getitem__)
    if median[worse] >= BLURRED * median[better]:
        return []
    text = f"the faces of person {worse.upper()} are much softer than those of person {better.upper()}"
    return [("train.blurred", f"{text}: a swap can't be sharper than the faces it was learnt from")]


def _sizes(crops: Mapping[str, Sequence[Crop]], size: int) -> list[tuple[str, str]]:
    found = []
    for person, faces in sorted(crops.items()):
        side = float(np.median([crop.face_size for crop in faces]))
        if side < SMALL * size:
            text = f"the faces of person {person.upper()} are {side:.0f} pixels wide in the footage"
            found.append(("train.small", f"{text}: a model of {size} pixels can't show more than that"))
    return found

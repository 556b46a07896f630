"""Keep the best N, balanced over pose: a rare profile is worth more than the thousandth view from the front."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from faceengine.extraction.coverage import PITCH_EDGES, YAW_EDGES
from faceengine.thresholds import MOST_OUTSIDE
from webapp.curation.models import Batch, Crop, CropState, FaceSet, Value
from webapp.curation.verdicts import decide_each


def keep_best(face_set: FaceSet, user: Any, count: int) -> Batch:
    """Keep ``count`` crops and reject the others, as one decision of ``user``."""
    crops = list(Crop.objects.filter(face_set=face_set).exclude(state=CropState.OTHER).order_by("number"))
    chosen = choose_best([crop for crop in crops if crop.outside <= MOST_OUTSIDE], count)
    wanted: dict[int, str | None] = {crop.pk: Value.KEEP if crop.number in chosen else Value.REJECT for crop in crops}
    return decide_each(face_set, user, wanted)


def thin_out(face_set: FaceSet, user: Any, group: int | None = None) -> Batch:
    """Of each group of near duplicates, or of one, keep the least suspicious crop and reject the others."""
    crops = Crop.objects.filter(face_set=face_set).exclude(state=CropState.OTHER)
    if group is not None:
        crops = crops.filter(near_duplicates=group)
    groups: dict[int, list[Crop]] = defaultdict(list)
    for crop in crops.order_by("suspicion", "number"):
        groups[crop.near_duplicates].append(crop)
    wanted: dict[int, str | None] = {}
    for best, *others in groups.values():
        if others:
            wanted |= {best.pk: Value.KEEP} | dict.fromkeys((crop.pk for crop in others), Value.REJECT)
    return decide_each(face_set, user, wanted)


def choose_best(crops: Iterable[Crop], count: int) -> set[int]:
    """Numbers of ``count`` crops: as many of each pose as of any other, as far as there are; within a pose the least
    suspicious first, and of near duplicates one before a second one is taken."""
    poses: dict[tuple[int, int], list[Crop]] = defaultdict(list)
    for crop in crops:
        poses[_bin(crop.yaw, YAW_EDGES), _bin(crop.pitch, PITCH_EDGES)].append(crop)
    queues = [_in_order(group) for group in poses.values()]
    chosen: set[int] = set()
    # One of each pose in turn, rarest pose first, until enough are chosen: that fills small poses wholly and shares
    # what is left evenly among the others.
    queues.sort(key=len)
    for turn in range(max(map(len, queues), default=0)):
        for queue in queues:
            if len(chosen) == count:
                return chosen
            if turn < len(queue):
                chosen.add(queue[turn].number)
    return chosen


def _in_order(crops: list[Crop]) -> list[Crop]:
    seen: dict[int, int] = defaultdict(int)
    places = []
    for crop in sorted(crops, key=lambda crop: (crop.suspicion, crop.number)):
        places.append((seen[crop.near_duplicates], crop.suspicion, crop.number, crop))
        seen[crop.near_duplicates] += 1
    return [crop for *_, crop in sorted(places, key=lambda place: place[:3])]


def _bin(angle: float, edges: tuple[int, ...]) -> int:
    return sum(angle >= edge for edge in edges[1:-1])

"""What a reader can do about a score: sizes of the sets, missing poses, sharpness, and what the numbers hide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from faceengine.evaluation.identity import Reference

FEW = 250
_BIN = 15.0
# A pose that less than one crop in two hundred shows was as good as not trained.
_RARE = 0.005
_BLURRED = 0.5
_APART = 0.05


@dataclass(frozen=True)
class Reason:
    """``code`` is stable, ``text`` one sentence in English."""

    code: str
    text: str


def pose_bin(yaw: float, pitch: float) -> tuple[int, int]:
    """Yaw and pitch in degrees → the middle of their 15° bin."""
    return int(round(yaw / _BIN) * _BIN), int(round(pitch / _BIN) * _BIN)


def missing_poses(wanted: Reference, poses: Iterable[tuple[float, float]]) -> dict[tuple[int, int], float]:
    """Bins (yaw, pitch) that the footage shows and the wanted person's set hardly has → share of frames in them."""
    have = Counter(pose_bin(crop.yaw, crop.pitch) for crop in wanted.crops)
    need = Counter(pose_bin(*pose) for pose in poses)
    total = max(sum(need.values()), 1)
    lacking = {where: count / total for where, count in need.items() if have[where] < _RARE * len(wanted.crops)}
    return dict(sorted(lacking.items(), key=lambda item: -item[1]))


def describe_pose(where: tuple[int, int]) -> str:
    """A bin in words, e.g. "30° to the right and 15° up"."""
    yaw, pitch = where
    sideways = f"{abs(yaw)}° to the {'right' if yaw > 0 else 'left'}" if yaw else "straight on"
    return sideways + (f" and {abs(pitch)}° {'up' if pitch > 0 else 'down'}" if pitch else "")


def reasons(report: dict[str, Any], crops: int, lacking: dict[tuple[int, int], float]) -> list[Reason]:
    """Everything in a report that a reader should know before trusting it, or can improve the next run by.

    ``crops`` is the size of the wanted person's set, ``lacking`` what :func:`missing_poses` found.
    """
    found = []
    if crops < FEW:
        text = f"the wanted person's set has {crops} usable crops; swaps get better from {FEW} on"
        found.append(Reason("wanted.few", text))
    if (share := sum(lacking.values())) >= 0.05:
        where = "; ".join(describe_pose(key) for key in list(lacking)[:3])
        text = f"{share:.0%} of the frames show poses that the wanted person's set hardly has: {where}"
        found.append(Reason("wanted.poses", text))
    return found + _sharpness(report["sharpness"]) + _judging(report)


def _sharpness(sharpness: dict[str, float | None]) -> list[Reason]:
    wanted, original, result = (sharpness.get(name) for name in ("wanted", "original", "result"))
    found = []
    if wanted and original and wanted < _BLURRED * original:
        text = "the wanted person's crops are less than half as sharp as the footage: add sharper material"
        found.append(Reason("wanted.blurred", text))
    if result and original and result < _BLURRED * original:
        text = "the swapped face is less than half as sharp as the footage was: train longer, or sharpen on conversion"
        found.append(Reason("result.blurred", text))
    return found


def _judging(report: dict[str, Any]) -> list[Reason]:
    found = []
    floor, ceiling = report["floor"], report["ceiling"]
    if floor is not None and ceiling is not None and ceiling - floor < _APART:
        text = f"{report['network']} hardly tells these two people apart: floor {floor:.3f}, ceiling {ceiling:.3f}"
        found.append(Reason("network.blind", text))
    if report["swapped_share"] == 0:
        found.append(Reason("result.unswapped", "in no frame the face differs from the footage: nothing was swapped"))
    elif report["swapped_share"] is not None and report["swapped_share"] < 0.95:
        text = f"only {report['swapped_share']:.0%} of the frames with a face were swapped: similarity is of those"
        found.append(Reason("result.partly", text))
    if report["found_share"] < 0.95:
        text = f"in {1 - report['found_share']:.0%} of the frames no face is found any more where one was"
        found.append(Reason("result.lost", text))
    return found

"""What a reader can do about a score: sizes of the sets, missing poses, sharpness, and what the numbers hide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from faceengine.evaluation.grade import GOOD
from faceengine.extraction.coverage import compare

FEW = 250
_WANTED, _FOOTAGE = "the wanted person's set", "the footage"
_BLURRED = 0.5
_APART = 0.05
_FOLLOWS = 0.4
_FOLLOWING = (
    ("mouth", "result.mouth", "the mouth hardly follows"),
    ("lids", "result.lids", "the eyelids hardly follow"),
    ("gaze", "result.gaze", "the gaze hardly follows"),
)
_ENOUGH = 0.95


@dataclass(frozen=True)
class Reason:
    """``code`` is stable, ``text`` one sentence in English."""

    code: str
    text: str


def reasons(report: dict[str, Any]) -> list[Reason]:
    """Everything in a report that a reader should know before trusting it, or can improve the next run by."""
    return _material(report) + _sharpness(report["sharpness"]) + _look(report) + _judging(report)


def _material(report: dict[str, Any]) -> list[Reason]:
    found = []
    if (crops := report["sets"]["wanted"]) < FEW:
        text = f"{_WANTED} has {crops} usable crops; swaps get better from {FEW} on"
        found.append(Reason("wanted.few", text))
    gaps = compare(report["coverage"]["footage"], report["coverage"]["wanted"], _FOOTAGE, _WANTED)
    # What the footage lacks does no harm.
    found += [Reason("wanted.poses", gap) for gap in gaps if gap.startswith(_WANTED)]
    return found


def _sharpness(sharpness: dict[str, float | None]) -> list[Reason]:
    wanted, original = (sharpness[name] for name in ("wanted", "original"))
    found = []
    if wanted and original and wanted < _BLURRED * original:
        text = f"{_WANTED} is less than half as sharp as {_FOOTAGE}: add sharper material"
        found.append(Reason("wanted.blurred", text))
    return found


def _look(report: dict[str, Any]) -> list[Reason]:
    found = []
    detail = report["detail"]
    if detail is not None and detail < GOOD["detail"]:
        text = f"the swapped face keeps {detail:.0%} of the fine detail of {_FOOTAGE}: train longer or a larger model"
        found.append(Reason("result.blurred", text))
    if report["blotches"]:
        text = f"{report['blotches']:.0%} of the swapped frames have colours that neither {_FOOTAGE} nor {_WANTED} has"
        found.append(Reason("result.blotches", text))
    for name, code, text in _FOLLOWING:
        if report[name] is not None and report[name] < _FOLLOWS:
            found.append(Reason(code, f"{text} {_FOOTAGE}"))
    return found


def _judging(report: dict[str, Any]) -> list[Reason]:
    found = []
    floor, ceiling = report["floor"], report["ceiling"]
    if floor is not None and ceiling is not None and ceiling - floor < _APART:
        text = f"{report['network']} hardly tells these two people apart: floor {floor:.3f}, ceiling {ceiling:.3f}"
        found.append(Reason("network.blind", text))
    if report["swapped_share"] == 0:
        found.append(Reason("result.unswapped", f"in no frame the face differs from {_FOOTAGE}: nothing was swapped"))
    elif report["swapped_share"] is not None and report["swapped_share"] < _ENOUGH:
        text = f"only {report['swapped_share']:.0%} of the frames with a face were swapped: similarity is of those"
        found.append(Reason("result.partly", text))
    if report["found_share"] < _ENOUGH:
        text = f"in {1 - report['found_share']:.0%} of the frames no face is found any more where one was"
        found.append(Reason("result.lost", text))
    return found

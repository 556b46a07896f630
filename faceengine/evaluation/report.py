"""From the measures of all frames to the report: plain JSON types, and a reason for every number that is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from faceengine.config import shown_path
from faceengine.errors import InputError
from faceengine.evaluation import hues
from faceengine.evaluation.config import ScoreConfig
from faceengine.evaluation.features import follow
from faceengine.evaluation.grade import extremes, grade
from faceengine.evaluation.identity import Reference, ceiling, cosines, pair_distances, readings
from faceengine.evaluation.measure import FrameMeasures, Judge
from faceengine.evaluation.motion import FEWEST, colour_jitter, expression_errors, eye_distance, landmark_jitter
from faceengine.evaluation.position import position
from faceengine.evaluation.reasons import reasons
from faceengine.extraction.coverage import coverage
from faceengine.extraction.quality import pose
from faceengine.faceset import Crop
from faceengine.geometry import Points

FORMAT = 1
_ANGLES = ("yaw", "pitch", "roll")
# Faces of a set and of a result are one footage's if they stand at the same places in at least this share of frames.
_SAME_FOOTAGE = 0.8
_SIDE_BY_SIDE = (
    *("result", "network", "similarity", "floor", "ceiling", "position", "reading", "swapped_share"),
    *("pose_error", "expression_error", "jitter", "seam", "psnr_face", "ssim_face", "sets", "sharpness", "reasons"),
    *("detail", "detail_wanted", "lids", "mouth", "gaze", "flicker", "blotches", "grade"),
)
_NO_VIDEO = "original is a face set: without its video the pixels before the swap are not known"


@dataclass(frozen=True)
class Person:
    """The face sets of a score, as one network sees them."""

    wanted: Reference
    original: Reference | None
    strangers: Reference | None


@dataclass(frozen=True)
class Scored:
    """All that a report is made from."""

    config: ScoreConfig
    frames: int
    """Frames looked at."""
    judges: Sequence[Judge]
    people: Sequence[Person]
    measures: list[FrameMeasures]
    independent: bool | None


@dataclass(frozen=True)
class _Pair:
    """One face in the result and before the swap; ``at`` is the index of its measures."""

    at: int
    result: Points
    original: Points


def build_report(scored: Scored) -> dict[str, Any]:
    """The report, as ``docs/score.md`` defines it."""
    missing: dict[str, str] = {}
    rows: list[dict[str, Any]] = [_row(measure) for measure in scored.measures]
    config = scored.config
    report: dict[str, Any] = {
        "format": FORMAT,
        **{
            name: _text(getattr(config, name)) for name in ("result", "wanted", "original", "truth", "strangers", "run")
        },
        "every": config.every,
        **_identity(scored, missing, rows),
        **_counts(scored, missing),
        **_motion(scored, missing, rows),
        **_truth(scored, missing, rows),
        **_look(scored, missing, rows),
    }
    report["grade"] = grade(report)
    if report["grade"] is None:
        missing["grade"] = "whose face it is can't be told"
    _explain(report, scored)
    if config.other is not None:
        report["directions"] = beside(report, read_report(config.other))
    report["missing"] = missing
    report["best"], report["worst"] = extremes(rows, report["floor"], report["ceiling"])
    report["per_frame"] = rows
    return report


def read_report(path: Path) -> dict[str, Any]:
    """Read a report. Raises :class:`InputError` ``score.report`` for a file that is none."""
    try:
        report: dict[str, Any] = json.loads(path.read_text())
        if report["format"] != FORMAT or "per_frame" not in report:
            raise ValueError("of another format")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("score.report", f"{path} is not a score's report: {error}") from error
    return report


def beside(this: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both directions side by side, and which one is better by how much of the way from floor to ceiling."""
    table = {
        side: {name: report.get(name) for name in _SIDE_BY_SIDE} for side, report in (("this", this), ("other", other))
    }
    gap = None
    if this["position"] is not None and other["position"] is not None and this["network"] == other["network"]:
        gap = this["position"] - other["position"]
    return {**table, "gap": gap}


# -- who is it -----------------------------------------------------------------------------------------------------


def _identity(scored: Scored, missing: dict[str, str], rows: list[dict[str, Any]]) -> dict[str, Any]:
    counted = _counted(scored.measures)
    judge, person = scored.judges[0], scored.people[0]
    embeddings = judge.result.embeddings()
    similarities = cosines(embeddings, person.wanted.mean)
    distances = pair_distances(embeddings, person.wanted.embeddings)
    for row, measure in zip(rows, scored.measures, strict=True):
        if measure.row is not None:
            row["similarity"] = float(similarities[measure.row])
            row["distance"] = float(np.median(distances[measure.row]))
    numbers = _similarity(judge, person, counted)
    kept = distances[counted]
    distance = float(np.median(kept)) if kept.size else None
    if person.strangers is None:
        missing["strangers_similarity"] = "no face set of strangers was given (--strangers)"
    if not counted:
        missing["similarity"] = "no face is found in the result"
    second = None
    if len(scored.judges) > 1:
        second = {"network": scored.judges[1].embedder.name}
        second |= _similarity(scored.judges[1], scored.people[1], counted)
    return {
        "network": judge.embedder.name,
        "independent": scored.independent,
        **numbers,
        "distance": distance,
        "reading": None if distance is None else judge.embedder.reading(distance),
        "readings": readings(kept, judge.embedder) if kept.size else None,
        "threshold": {
            "same": judge.embedder.thresholds.same,
            "different": judge.embedder.thresholds.different,
            "source": judge.embedder.thresholds.source,
        },
        "second": second,
    }


def _similarity(judge: Judge, person: Person, counted: list[int]) -> dict[str, Any]:
    """One network's similarity and its yardsticks."""
    wanted, embeddings = person.wanted, judge.result.embeddings()[counted]
    before = judge.original.embeddings() if person.original is None else person.original.embeddings
    numbers = {
        "similarity": _mean(cosines(embeddings, wanted.mean)),
        "similarity_whole": _mean(cosines(embeddings.mean(axis=0)[None], wanted.mean)) if counted else None,
        "floor": _mean(cosines(before, wanted.mean)),
        "ceiling": ceiling(wanted.embeddings),
        "strangers_similarity": (
            None if person.strangers is None else _mean(cosines(person.strangers.embeddings, wanted.mean))
        ),
    }
    return numbers | {"position": position(numbers["similarity"], numbers["floor"], numbers["ceiling"])}


def _counted(measures: list[FrameMeasures]) -> list[int]:
    """Rows of the faces that count: those that were swapped; all, where that can't be known or none was."""
    swapped = [m.row for m in measures if m.row is not None and m.swapped]
    return swapped or [m.row for m in measures if m.row is not None]


def _counts(scored: Scored, missing: dict[str, str]) -> dict[str, Any]:
    measures = scored.measures
    known = [m.swapped for m in measures if m.swapped is not None]
    if not known:
        missing["swapped_share"] = _NO_VIDEO
    return {
        "frames": scored.frames,
        "frames_with_face": len(measures),
        "found_share": sum(m.landmarks is not None for m in measures) / len(measures),
        "swapped_share": sum(known) / len(known) if known else None,
    }


# -- how does it move ----------------------------------------------------------------------------------------------


def _motion(scored: Scored, missing: dict[str, str], rows: list[dict[str, Any]]) -> dict[str, Any]:
    measures = scored.measures
    pairs = _pairs(scored, missing)
    frames = [measures[pair.at].frame for pair in pairs]
    result, original = [pair.result for pair in pairs], [pair.original for pair in pairs]
    turns = np.array([np.subtract(pose(pair.result), pose(pair.original)) for pair in pairs]).reshape(-1, 3)
    for pair, turn in zip(pairs, turns, strict=True):
        rows[pair.at]["pose_error"] = float(np.abs(turn).mean())
    seams = [m.seam for m in measures if m.seam is not None]
    jitter = landmark_jitter(frames, result, original) if pairs else None
    flicker = _flicker(measures, pairs)
    if pairs and jitter is None:
        missing["jitter"] = "no two neighbouring frames were scored (--every is above 1, or there is but one frame)"
    if pairs and flicker is None:
        missing["jitter_colour"] = missing.get("jitter", _NO_VIDEO)
    if not seams:
        missing["seam"] = _NO_VIDEO if all(m.change is None for m in measures) else "no frame was swapped"
    return {
        "pose_error": _mean(np.abs(turns).mean(axis=1)),
        "pose_offset": dict(zip(_ANGLES, turns.mean(axis=0).tolist(), strict=True)) if pairs else None,
        "expression_error": _expression(pairs, missing, rows),
        "jitter": jitter,
        "jitter_colour": flicker,
        "seam": _mean(seams),
    }


def _flicker(measures: list[FrameMeasures], pairs: list[_Pair]) -> float | None:
    known = [
        (m.frame, m.colour, m.original_colour, pair.original)
        for pair in pairs
        if (m := measures[pair.at]).colour is not None and m.original_colour is not None
    ]
    return colour_jitter(*zip(*known, strict=True)) if known else None


def _expression(pairs: list[_Pair], missing: dict[str, str], rows: list[dict[str, Any]]) -> float | None:
    if len(pairs) < FEWEST:
        if pairs:
            missing["expression_error"] = f"fewer than {FEWEST} frames: looks can't be told from expression"
        return None
    errors = expression_errors([pair.result for pair in pairs], [pair.original for pair in pairs])
    for pair, error in zip(pairs, errors, strict=True):
        rows[pair.at]["expression_error"] = float(error)
    return float(errors.mean())


def _pairs(scored: Scored, missing: dict[str, str]) -> list[_Pair]:
    """The faces that are known both in the result and before the swap."""
    originals = [measure.original_landmarks for measure in scored.measures]
    if scored.people[0].original is not None:
        originals = _from_set(scored, scored.people[0].original.crops)
    pairs = [
        _Pair(at, measure.landmarks, before)
        for at, (measure, before) in enumerate(zip(scored.measures, originals, strict=True))
        if measure.landmarks is not None and before is not None
    ]
    if not pairs:
        why = "the face set given as original is not of this footage (one video, the same frames)"
        if scored.people[0].original is None:
            why = "no frame has a face both before the swap and in the result"
        missing.update(dict.fromkeys(("pose_error", "expression_error", "jitter", "jitter_colour"), why))
    return pairs


def _from_set(scored: Scored, crops: list[Crop]) -> list[Points | None]:
    """Landmarks before the swap from the records of a set, if it was extracted from this very footage."""
    inputs = {crop.input for crop in crops}
    nothing: list[Points | None] = [None] * len(scored.measures)
    if len(inputs) != 1:
        return nothing
    records = {crop.frame: crop.landmarks for crop in reversed(crops)}
    found = [records.get(scored.config.start + measure.frame) for measure in scored.measures]
    near = [
        np.linalg.norm(m.landmarks.mean(axis=0) - before.mean(axis=0)) < 0.5 * eye_distance(before)
        for m, before in zip(scored.measures, found, strict=True)
        if m.landmarks is not None and before is not None
    ]
    return found if near and np.mean(near) >= _SAME_FOOTAGE else nothing


# -- how does it look ----------------------------------------------------------------------------------------------


def _look(scored: Scored, missing: dict[str, str], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Detail, features and flicker of the swapped faces."""
    counted = [(row, m) for row, m in zip(rows, scored.measures, strict=True) if m.detail is not None]
    shares = []
    for row, measure in counted:
        row["flicker"] = measure.flicker
        if measure.detail is not None and measure.original_detail:
            row["detail"] = measure.detail / measure.original_detail
            if measure.swapped:
                shares.append(row["detail"])
    wanted = scored.people[0].wanted.detail
    energy = _median(m.detail for _, m in counted if m.detail is not None and m.swapped is not False)
    both = [(m.features, m.original_features) for _, m in counted if m.features and m.original_features]
    found = {
        "detail": _median(shares),
        "detail_wanted": energy / wanted if energy is not None and wanted else None,
        **follow([mine for mine, _ in both], [theirs for _, theirs in both]),
        "flicker": _median(m.flicker for _, m in counted if m.flicker is not None and m.swapped),
        "blotches": _blotches(scored, rows),
    }
    no_video = all(m.original_features is None for m in scored.measures)
    unswapped, still = "no frame was swapped", "the footage holds still, or too few frames were scored"
    why = {"detail": unswapped, "blotches": unswapped, "flicker": missing.get("jitter", unswapped)}
    for name in (name for name, value in found.items() if value is None):
        missing[name] = _NO_VIDEO if no_video else why.get(name, still)
    return found


def _blotches(scored: Scored, rows: list[dict[str, Any]]) -> float | None:
    """Share of the swapped frames with colours that are nobody's; each row gets its share of such pixels."""
    drawn = [(row, m.hues) for row, m in zip(rows, scored.measures, strict=True) if m.swapped and m.hues is not None]
    if not drawn:
        return None
    footage = hues.total(m.original_hues for m in scored.measures)
    shares = hues.wrong_shares([face for _, face in drawn], footage, scored.people[0].wanted.hues)
    for (row, _), share in zip(drawn, shares, strict=True):
        row["wrong_hues"] = share
    return float(np.mean([share > hues.BLOTCHED for share in shares]))


# -- against the truth ---------------------------------------------------------------------------------------------


def _truth(scored: Scored, missing: dict[str, str], rows: list[dict[str, Any]]) -> dict[str, Any]:
    truths = [(row, m.truth) for row, m in zip(rows, scored.measures, strict=True) if m.truth is not None]
    names = ("psnr_face", "ssim_face", "psnr_face_unswapped")
    if not truths:
        missing.update(dict.fromkeys(names, "no video of a perfect swap was given (--truth)"))
        return dict.fromkeys(names)
    for row, truth in truths:
        row["psnr_face"], row["ssim_face"] = truth.psnr, truth.ssim
    unswapped = _mean(truth.psnr_unswapped for _, truth in truths if truth.psnr_unswapped is not None)
    if unswapped is None:
        missing["psnr_face_unswapped"] = _NO_VIDEO
    return dict(
        zip(names, (_mean(t.psnr for _, t in truths), _mean(t.ssim for _, t in truths), unswapped), strict=True)
    )


# -- for the reader ------------------------------------------------------------------------------------------------


def _explain(report: dict[str, Any], scored: Scored) -> None:
    """Add sizes, pose coverage and sharpness of what went in, and what a reader can do about them."""
    person = scored.people[0]
    sets = {"wanted": len(person.wanted.crops)}
    if person.original is not None:
        sets["original"] = len(person.original.crops)
    shown = [m.original_landmarks if m.original_landmarks is not None else m.landmarks for m in scored.measures]
    poses = [pose(landmarks)[:2] for landmarks in shown if landmarks is not None]
    sharpness = {
        "wanted": _median(crop.sharpness for crop in person.wanted.crops),
        "original": _median(m.original_sharpness for m in scored.measures if m.original_sharpness is not None),
        "result": _median(m.sharpness for m in scored.measures if m.sharpness is not None),
    }
    if person.original is not None:
        sharpness["original"] = _median(crop.sharpness for crop in person.original.crops)
    report["sets"] = sets
    report["sharpness"] = sharpness
    report["coverage"] = {
        "wanted": coverage((crop.yaw, crop.pitch) for crop in person.wanted.crops),
        "footage": coverage(poses),
    }
    report["reasons"] = [asdict(reason) for reason in reasons(report)]


def _row(measure: FrameMeasures) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(
        ("frame", "time", "found", "swapped", "similarity", "distance", "pose_error", "expression_error", "seam")
    )
    row |= {"frame": measure.frame, "time": measure.time, "found": measure.landmarks is not None}
    row |= {"swapped": measure.swapped, "seam": measure.seam, "psnr_face": None, "ssim_face": None}
    return row | {"detail": None, "flicker": None, "wrong_hues": None}


def _mean(values: Iterable[float]) -> float | None:
    """``None`` of nothing."""
    kept = [float(value) for value in values]
    return float(np.mean(kept)) if kept else None


def _median(values: Iterable[float]) -> float | None:
    kept = list(values)
    return float(np.median(kept)) if kept else None


def _text(value: Path | None) -> str | None:
    return None if value is None else shown_path(value)

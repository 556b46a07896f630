"""What all numbers together mean: a grade for the whole result, and the frames worth looking at."""

from __future__ import annotations

from typing import Any

EXTREMES = 5
APART = 20
"""Frames of one kind lie at least a twentieth of the video apart, so that they are not five neighbours."""
GOOD = {"position": 0.7, "detail": 0.6, "mouth": 0.7, "lids": 0.5}
FAIR = {"position": 0.4, "detail": 0.35, "mouth": 0.4, "lids": 0.2}
"""What a result needs at least, of what is known, to be called so. A blurred one is never good: detail of 0.6 is what a
128-pixel model keeps of a face of 140 pixels, 0.35 less than what a 64-pixel one does."""
BLOTCHES = {"good": 0.01, "fair": 0.1}
"""Share of frames with wrong hues up to which a result is called so."""
_EXPRESSION = 0.15
"""Expression error, in eye distances, from which a frame gets nothing for it."""


def grade(report: dict[str, Any]) -> str | None:
    """``good``, ``fair`` or ``poor``; ``None`` if nothing is known of whose face it is.

    Without a measure of detail nothing is called good.
    """
    if report["position"] is None:
        return None
    blotches = report["blotches"] or 0.0
    if _reaches(report, GOOD) and report["detail"] is not None and blotches <= BLOTCHES["good"]:
        return "good"
    return "fair" if _reaches(report, FAIR) and blotches <= BLOTCHES["fair"] else "poor"


def _reaches(report: dict[str, Any], least: dict[str, float]) -> bool:
    return all(report[name] is None or report[name] >= value for name, value in least.items())


def quality(row: dict[str, Any], floor: float | None, ceiling: float | None) -> float | None:
    """A frame's mean of likeness, detail and expression, each in [0, 1], of those that are known."""
    parts = []
    if row["similarity"] is not None and floor is not None and ceiling is not None and ceiling > floor:
        parts.append((row["similarity"] - floor) / (ceiling - floor))
    if row["detail"] is not None:
        parts.append(row["detail"])
    if row["expression_error"] is not None:
        parts.append(1 - row["expression_error"] / _EXPRESSION)
    if not parts:
        similarity: float | None = row["similarity"]
        return similarity
    return float(sum(min(max(part, 0.0), 1.0) for part in parts) / len(parts))


def extremes(rows: list[dict[str, Any]], floor: float | None, ceiling: float | None) -> tuple[list[int], list[int]]:
    """Numbers of the up to five best and worst frames by :func:`quality`, spread over the video, the extreme first."""
    known = [(value, row["frame"]) for row in rows if (value := quality(row, floor, ceiling)) is not None]
    known.sort(key=lambda pair: (-pair[0], pair[1]))
    apart = max(1, (max((frame for _, frame in known), default=0) + 1) // APART)
    order = [frame for _, frame in known]
    return _spread(order, apart), _spread(order[::-1], apart)


def _spread(order: list[int], apart: int) -> list[int]:
    chosen: list[int] = []
    for frame in order:
        if all(abs(frame - other) >= apart for other in chosen):
            chosen.append(frame)
        if len(chosen) == EXTREMES:
            break
    return chosen

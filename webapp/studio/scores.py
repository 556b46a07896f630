"""A score's report as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from webapp.studio.files import read_json
from webapp.studio.models import Score
from webapp.studio.words import MEASURES, READINGS, verdict

_POINTS = 400
"""Points of the curve at most."""
_SHARES = ("swapped_share", "found_share")


@dataclass(frozen=True)
class Frame:
    """A frame worth looking at."""

    number: int
    similarity: float
    seconds: float
    """Where it is in the video."""


class Shown:
    """What a report says."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report

    @property
    def position(self) -> float | None:
        """0: no swap at all; 1: the wanted person themself."""
        position: float | None = self.report.get("position")
        return position

    @property
    def verdict(self) -> str:
        return verdict(self.position)

    @property
    def reading(self) -> Promise | None:
        return READINGS.get(self.report.get("reading") or "")

    @property
    def rows(self) -> list[tuple[Promise, str, Promise]]:
        """Name, number and meaning of each of the other measures that are known."""
        known = ((name, self.report.get(name)) for name in MEASURES)
        return [
            (MEASURES[name][0], _number(name, value), MEASURES[name][1]) for name, value in known if value is not None
        ]

    @property
    def best(self) -> list[Frame]:
        return self._frames("best")

    @property
    def worst(self) -> list[Frame]:
        return self._frames("worst")

    def _frames(self, name: str) -> list[Frame]:
        rows = {row["frame"]: row for row in self.report.get("per_frame") or []}
        known = (rows[number] for number in self.report.get(name) or [] if number in rows)
        return [Frame(row["frame"], row["similarity"], row["time"]) for row in known]

    @property
    def curve(self) -> dict[str, Any] | None:
        """Similarity over time as points of an SVG 100 wide and 40 high, with the heights of floor and ceiling."""
        rows = [
            (row["frame"], row["similarity"])
            for row in self.report.get("per_frame") or []
            if row.get("similarity") is not None
        ]
        floor, ceiling = self.report.get("floor"), self.report.get("ceiling")
        if len(rows) < 2 or floor is None or ceiling is None:
            return None
        rows = rows[:: -(-len(rows) // _POINTS)]
        values = [value for _, value in rows]
        low, high = min(floor, *values), max(ceiling, *values)
        first, last = rows[0][0], rows[-1][0]

        def height(value: float) -> str:
            return f"{40 - 40 * (value - low) / ((high - low) or 1):.2f}"

        points = " ".join(
            f"{100 * (frame - first) / ((last - first) or 1):.2f},{height(value)}" for frame, value in rows
        )
        return {"points": points, "floor": height(floor), "ceiling": height(ceiling)}


def shown(score: Score) -> Shown | None:
    """The report of a score that has ended well; ``None`` before that, or if its file is gone."""
    name = (score.job.result or {}).get("report")
    report = read_json(score.job, name) if name else None
    return None if report is None else Shown(report)


def _number(name: str, value: float) -> str:
    if name in _SHARES:
        return f"{100 * value:.0f} %"
    return f"{value:.1f}°" if name == "pose_error" else f"{value:.3f}"

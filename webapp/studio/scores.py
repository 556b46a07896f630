"""A score's report as pages, tables and print show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise

from faceengine.evaluation.position import position as position_of
from faceengine.jobs.models import Job
from webapp.projects.models import Person
from webapp.studio.files import read_json
from webapp.studio.models import Score
from webapp.studio.swaps import Swap, swap_of
from webapp.studio.words import MEASURES, READINGS, REASONS, names_of, percent, verdict

_POINTS = 400
"""Points of the curve at most."""
_CHART = 4000
"""Points of the chart at most."""
COLUMNS = (
    *("frame", "time", "found", "swapped", "similarity", "distance"),
    *("pose_error", "expression_error", "seam", "detail", "flicker", "psnr_face", "ssim_face"),
)
"""Of the table of all frames; docs/score.md says what they are."""
_SHARES = ("swapped_share", "found_share", "detail", "detail_wanted", "blotches")


@dataclass(frozen=True)
class Frame:
    """A frame worth looking at."""

    number: int
    similarity: float
    seconds: float
    """Where it is in the video."""
    picture: str
    """Address of its picture, before and after; empty if none was kept."""


@dataclass(frozen=True)
class Told:
    """Something to know before trusting a score, or to do better next time."""

    words: str
    detail: str
    """More of it, in English; empty if the words say all."""


class Shown:
    """What a report says. ``job`` is the score's, in whose folder the pictures are; ``swap`` has the people's names."""

    def __init__(self, report: dict[str, Any], job: Job | None = None, swap: Swap | None = None) -> None:
        self.report = report
        self.swap = swap or Swap()
        self._job = job

    @property
    def position(self) -> float | None:
        """0: no swap at all; 1: the wanted person themself."""
        position: float | None = self.report.get("position")
        return position

    @property
    def percent(self) -> str:
        """The position as a percentage; empty if it is unknown."""
        return "" if self.position is None else percent(self.position)

    @property
    def verdict(self) -> str:
        return verdict(self.position, self.report.get("detail"), self.swap)

    @property
    def reading(self) -> str:
        """What face recognition would say; empty if the report doesn't have it."""
        return str(READINGS.get(self.report.get("reading") or "", "")).format(**names_of(self.swap))

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
        return [Frame(row["frame"], row["similarity"], row["time"], self._picture(row["frame"])) for row in known]

    def _picture(self, number: int) -> str:
        name = (self.report.get("pictures") or {}).get(str(number))
        return reverse("jobs:file", args=[self._job.pk, name]) if name and self._job else ""

    @property
    def reasons(self) -> list[Told]:
        """What a reader should know, in the reader's language as far as a reason's code is known; each once."""
        details: dict[str, list[str]] = {}
        for told in map(self._told, self.report.get("reasons") or []):
            details.setdefault(told.words, []).append(told.detail)
        return [Told(words, "; ".join(filter(None, found))) for words, found in details.items()]

    def _told(self, reason: dict[str, str]) -> Told:
        words, detailed = REASONS.get(reason["code"], ("", True))
        if not words:
            return Told(reason["text"], "")
        return Told(str(words).format(**self._numbers()), reason["text"] if detailed else "")

    def _numbers(self) -> dict[str, str]:
        """What the sentences of reasons name."""

        def share(value: float | None) -> str:
            return "–" if value is None else percent(value)

        def similarity(value: float | None) -> str:
            return "–" if value is None else f"{value:.3f}"

        found, report = self.report.get("found_share"), self.report
        return {
            "detail": share(report.get("detail")),
            "blotches": share(report.get("blotches")),
            "crops": str((report.get("sets") or {}).get("wanted", "–")),
            "swapped": share(report.get("swapped_share")),
            "lost": share(None if found is None else 1 - found),
            "floor": similarity(report.get("floor")),
            "ceiling": similarity(report.get("ceiling")),
            "network": str(report.get("network", "–")),
            **names_of(self.swap),
        }

    @property
    def chart(self) -> dict[str, Any] | None:
        """Frames, seconds and similarities, with floor and ceiling, for ``<similarity-chart>``."""
        rows = self.report.get("per_frame") or []
        rows = rows[:: -(-len(rows) // _CHART) or 1]
        if len(rows) < 2:
            return None
        columns = {name: [row.get(name) for row in rows] for name in ("frame", "time", "similarity")}
        return columns | {"floor": self.report.get("floor"), "ceiling": self.report.get("ceiling")}

    def table(self) -> Iterator[list[Any]]:
        """Every frame that has or had a face, below the names of the columns."""
        yield list(COLUMNS)
        for row in self.report.get("per_frame") or []:
            yield [row.get(name) for name in COLUMNS]

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


def shown(score: Score, people: Iterable[Person] = ()) -> Shown | None:
    """Return the report of a score that is done; ``None`` before that, or if its file is missing.

    ``people`` are the project's two people, for sentences that name them.
    """
    name = (score.job.result or {}).get("report")
    report = read_json(score.job, name) if name else None
    if report is None:
        return None
    found = list(people)
    return Shown(report, score.job, swap_of(score.conversion.direction, found) if found else None)


def position(score: Score) -> float | None:
    """Where a score lies between floor and ceiling, by what its job told."""
    found = score.job.result or {}
    return position_of(*(found.get(name) for name in ("similarity", "floor", "ceiling")))


def _number(name: str, value: float) -> str:
    if name in _SHARES:
        return percent(value)
    return f"{value:.1f}°" if name == "pose_error" else f"{value:.3f}"

"""The score room: both directions side by side, all scores of a project, and what can be taken away of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from faceengine.jobs.states import State
from webapp.consent.gate import Act, require_consent
from webapp.projects.access import get_project
from webapp.projects.models import Person, Project
from webapp.studio import scores
from webapp.studio.access import get_conversion
from webapp.studio.models import Conversion, Direction
from webapp.studio.scores import Shown
from webapp.studio.swaps import Swap, swap_of
from webapp.studio.words import MEASURES, difference, percent

SHOWN = 200
"""Scores of a project that its page lists, the newest."""


@dataclass(frozen=True)
class Side:
    """One direction: the conversion that is shown of it, what its score says, and which others there are."""

    direction: Direction
    swap: Swap
    conversion: Conversion | None
    shown: Shown | None
    others: list[Conversion]


@require_safe
@login_required
def room(request: HttpRequest, project_id: int) -> HttpResponse:
    """Both directions side by side; ``?a2b=`` and ``?b2a=`` choose the conversions, else the newest are shown."""
    return render(request, "studio/scores.html", _context(request, project_id))


@require_safe
@login_required
def report(request: HttpRequest, project_id: int) -> HttpResponse:
    """The same on one page of paper."""
    return render(request, "studio/score_report.html", _context(request, project_id))


@require_safe
@login_required
def table(request: HttpRequest, conversion_id: int) -> HttpResponseBase:
    """A score frame by frame as CSV."""
    conversion = get_conversion(request.user, conversion_id)
    score = getattr(conversion, "score", None)
    shown = scores.shown(score) if score else None
    if shown is None:
        raise Http404
    writer = csv.writer(_Echo())
    lines: Iterator[str] = (writer.writerow(row) for row in shown.table())
    disposition = f'attachment; filename="score-{conversion.pk}.csv"'
    return StreamingHttpResponse(
        lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition}
    )


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _context(request: HttpRequest, project_id: int) -> dict[str, Any]:
    project = get_project(request.user, project_id)
    require_consent(project, Act.PREVIEW, request.user)
    scored = _scored(project)
    people = list(project.people.all())
    sides = [_side(direction, scored, request, people) for direction in Direction]
    ranked = sorted(((scores.position(one.score), one) for one in scored), key=_by_position)
    return {
        "project": project,
        "people": people,
        "sides": sides,
        "rows": _rows(sides),
        "difference": _difference(sides),
        "ranked": [("–" if position is None else percent(position), one) for position, one in ranked],
    }


def _scored(project: Project) -> list[Conversion]:
    beside = ("job", "run", "snapshot", "asset", "score__job")
    done = Conversion.objects.filter(run__project=project, score__job__state=State.DONE).select_related(*beside)
    return list(done.order_by("-created_at", "-id")[:SHOWN])


def _side(direction: Direction, scored: list[Conversion], request: HttpRequest, people: list[Person]) -> Side:
    others = [one for one in scored if one.direction == direction]
    asked = request.GET.get(direction, "")
    chosen = next((one for one in others if str(one.pk) == asked), others[0] if others else None)
    shown = scores.shown(chosen.score, people) if chosen else None
    return Side(direction, swap_of(direction, people), chosen, shown, others)


def _rows(sides: list[Side]) -> list[tuple[Promise, Promise, list[str]]]:
    """Name, meaning and both directions' number of each measure that one of them has."""
    known = [{str(name): number for name, number, _ in side.shown.rows} if side.shown else {} for side in sides]
    return [
        (name, meaning, [numbers.get(str(name), "–") for numbers in known])
        for name, meaning in MEASURES.values()
        if any(str(name) in numbers for numbers in known)
    ]


def _difference(sides: list[Side]) -> str:
    """Which direction is better, in words; empty if the same network has not judged both."""
    first, second = sides
    one, other = first.shown, second.shown
    if one is None or other is None or one.report.get("network") != other.report.get("network"):
        return ""
    if one.position is None or other.position is None:
        return ""
    return difference(one.position - other.position, first.swap, second.swap)


def _by_position(row: tuple[float | None, Conversion]) -> tuple[bool, float]:
    """The best first, the unknown last."""
    return row[0] is None, -(row[0] or 0.0)

"""Conversions: before and after, the file, and how good it is by number."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from faceengine.jobs.shown import row as row_of
from webapp.consent.models import Purpose
from webapp.consent.uses import lacks_of
from webapp.projects.access import Verb
from webapp.studio import live, scores, services
from webapp.studio.access import get_conversion
from webapp.studio.errors import StudioError
from webapp.studio.swaps import swap_of


@require_safe
@login_required
def conversion(request: HttpRequest, conversion_id: int) -> HttpResponse:
    """One conversion, side by side with what it was made from, and its score."""
    found = get_conversion(request.user, conversion_id)
    row = row_of(request.user, found.job)
    score = getattr(found, "score", None)
    if score is not None:
        score.conversion = found
    people = list(found.run.project.people.all())
    comparable = found.asset is not None and found.job.config.get("layout", "result") == "result"
    context = {
        "conversion": found,
        "run": found.run,
        "project": found.run.project,
        "job": found.job,
        "row": row,
        "editable": row.steerable,
        "comparable": comparable,
        "lacks": lacks_of(found.run.project, Purpose.DELIVER) if found.result else [],
        "pictures": [] if found.result else live.pictures(found.job),
        "score": score,
        "score_row": row_of(request.user, score.job) if score else None,
        "shown": scores.shown(score, people) if score else None,
        "swap": swap_of(found.direction, people),
    }
    return render(request, "studio/conversion.html", context)


@require_POST
@login_required
def score(request: HttpRequest, conversion_id: int) -> HttpResponse:
    """Have a conversion scored."""
    found = get_conversion(request.user, conversion_id, Verb.EDIT)
    try:
        services.start_score(request.user, found)  # type: ignore[arg-type]
    except StudioError as error:
        messages.warning(request, error.reason)
    return redirect("studio:conversion", conversion_id)

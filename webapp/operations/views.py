"""The page for whoever runs the installation (``is_staff``): what works, what waits, what fills the disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from faceengine.jobs import groups, health, queries, words
from faceengine.jobs.models import Job, Slot
from faceengine.jobs.states import State
from faceengine.jobs.transitions import queue_of
from webapp.operations import cleaning, machine
from webapp.operations.places import Root
from webapp.operations.survey import Survey, survey
from webapp.operations.words import ROOTS, WHY, space

QUEUE_SHOWN = 20
"""Jobs of each queue that the page shows."""
NAMED = 20
"""Files that the preview names for each reason."""
SURVEY_SECONDS = 60
"""So long the last look at the disk is shown again: with very many files it takes seconds."""


def staff_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse all others: 403."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not (request.user.is_active and request.user.is_staff):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@staff_only
def overview(request: HttpRequest) -> HttpResponse:
    """All of it."""
    found, lookout = _survey(anew="anew" in request.GET), queries.Lookout()
    state = health.state()
    context = {
        "health": state,
        "checks": [(ROOTS[_CHECKED[name]], works) for name, works in state["checks"].items()],
        "slots": _slots(request.user, lookout),
        "queues": [_queue(kind, lookout) for kind in settings.SLOT_KINDS],
        "disks": [(disk, [ROOTS[name] for name in disk.folders]) for disk in machine.disks()],
        "space": found["space"],
        "in_all": sum(size for _, _, size in found["space"]),
        "going": found["going"],
        "going_size": sum(size for _, _, size, _ in found["going"]),
        "keep_days": settings.LOGS_KEEP_DAYS,
        "database_size": machine.database_size(),
        "versions": machine.versions(),
    }
    return render(request, "operations/overview.html", context)


@require_POST
@staff_only
def clean_up(request: HttpRequest) -> HttpResponse:
    """Remove what may go now, which may be other than what the preview showed."""
    gone = cleaning.clean_up()
    cache.delete(_SURVEY)
    said = ngettext("Deleted %(count)d file (%(size)s).", "Deleted %(count)d files (%(size)s).", gone.files)
    messages.success(request, said % {"count": gone.files, "size": filesizeformat(gone.size)})
    return redirect("operations:overview")


_CHECKED = {"database": "data", "storage": Root.STORAGE}
_SURVEY = "operations:survey"


def _survey(*, anew: bool) -> dict[str, list[Any]]:
    """What the page shows of the last look at all files."""
    found: dict[str, list[Any]] | None = None if anew else cache.get(_SURVEY)
    if found is None:
        found = _shown(survey())
        cache.set(_SURVEY, found, SURVEY_SECONDS)
    return found


def _shown(looked: Survey) -> dict[str, list[Any]]:
    by_size = sorted(looked.space.items(), key=lambda item: -item[1].size)
    return {
        "space": [(space(kind), amount.files, amount.size) for kind, amount in by_size],
        "going": [
            (WHY[why], len(files), sum(file.size for file in files), files[:NAMED])
            for why, files in looked.going.items()
        ],
    }


def _slots(user: Any, lookout: queries.Lookout) -> list[dict[str, Any]]:
    """Every slot, with what it runs, and whether the user may see more of that."""
    running = {job.slot_id: job for job in Job.objects.filter(state=State.RUNNING).exclude(slot=None)}
    alive = {slot.pk for slot in lookout.alive}
    theirs = {*groups.known().of_user(user), None}
    found = []
    for slot in Slot.objects.order_by("host", "name"):
        job = running.get(slot.pk)
        more = {"alive": slot.pk in alive, "job": job, "may_open": job is not None and job.group in theirs}
        found.append({"slot": slot, **more})
    return found


def _queue(slot_kind: str, lookout: queries.Lookout) -> dict[str, Any]:
    """What waits for that kind of slot, and each for what."""
    jobs = list(queue_of(slot_kind)[: QUEUE_SHOWN + 1])
    rows = [(job, words.waiting(queries.waiting_for(job, lookout))) for job in jobs[:QUEUE_SHOWN]]
    return {"kind": slot_kind, "rows": rows, "more": len(jobs) > QUEUE_SHOWN}

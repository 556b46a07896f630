"""The jobs' pages. Each fetches its job through the user's access; every change is a POST and a transition."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from faceengine.jobs import files, paging, shown, transitions
from faceengine.jobs.access import get_job, get_job_to_steer, jobs_of
from faceengine.jobs.models import Attempt, Job
from faceengine.jobs.names import log_of
from faceengine.jobs.states import ENDED, State

RECENT = 8
"""Ended jobs that the overview shows."""
QUEUE_SHOWN = 20
_OPEN = (State.RUNNING, State.WAITING, State.PAUSED)
SHOWN = 100
"""Messages and parts that a job's page shows at most."""


@require_safe
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """What runs where, what waits for what, and what ended lately."""
    jobs = jobs_of(request.user)
    queues = [(kind, paging.queue(jobs, kind, size=QUEUE_SHOWN)) for kind in settings.SLOT_KINDS]
    open_ = [paging.newest(jobs, state).jobs for state in _OPEN]
    recent, *rows = shown.rows(request.user, _recent(jobs), *open_, *(page.jobs for _, page in queues))
    queued = zip(queues, rows[len(_OPEN) :], strict=True)
    context = {
        "slots": shown.slots(request.user),
        "open": list(zip(_OPEN, rows, strict=False)),
        "queues": [(kind, rows, page.next) for (kind, page), rows in queued if rows],
        "recent": recent,
    }
    return render(request, "jobs/overview.html", _tabs("open") | context)


@require_safe
@login_required
def ended(request: HttpRequest, state: str) -> HttpResponse:
    """Jobs that are done, failed or cancelled, the newest first."""
    if state not in ENDED:
        raise Http404
    page = paging.newest(jobs_of(request.user), State(state), request.GET.get("after", ""))
    context = {"rows": shown.rows(request.user, page.jobs)[0], "next": page.next, "heading": State(state).label}
    return render(request, "jobs/list.html", _tabs(state) | context)


@require_safe
@login_required
def queued(request: HttpRequest, slot_kind: str) -> HttpResponse:
    """The queue for one kind of slot, in its order."""
    if slot_kind not in settings.SLOT_KINDS:
        raise Http404
    page = paging.queue(jobs_of(request.user), slot_kind, request.GET.get("after", ""))
    heading = _("Queue for %(kind)s") % {"kind": slot_kind.upper()}
    context = {"rows": shown.rows(request.user, page.jobs)[0], "next": page.next, "heading": heading}
    return render(request, "jobs/list.html", _tabs("open") | context)


@require_safe
@login_required
def detail(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job, live."""
    job = get_job(request.user, job_id)
    said = job.events.filter(kind="message").order_by("-seq")
    parts = job.parts.select_related("slot").order_by("index")
    listed, more = files.listing(job)
    context = {
        "row": shown.row(request.user, job),
        "job": job,
        "parts": parts[:SHOWN],
        "part_counts": shown.part_counts(job),
        "attempts": job.attempts.order_by("-number"),
        "messages_said": said[:SHOWN],
        "settings": shown.settings(job),
        "files": listed,
        "more_files": more,
    }
    has_losses = job.events.filter(kind="losses").exists()
    return render(request, "jobs/detail.html", context | shown.live(job, shown.previews(job), has_losses))


@require_POST
@login_required
def steer(request: HttpRequest, job_id: UUID, change: str) -> HttpResponse:
    """Pause, resume, cancel, retry or move a job, and go back to where that was asked."""
    if change not in CHANGES and change not in OVERTAKING:
        raise Http404
    job = get_job_to_steer(request.user, job_id)
    if not _change(request, change)(job):
        messages.warning(request, _("The job has changed in the meantime, so this is no longer possible."))
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, {request.get_host()}):
        return HttpResponseRedirect(back)  # not redirect(), which takes any word for the name of a view
    return redirect("jobs:detail", job_id)


@require_safe
@login_required
def file(request: HttpRequest, job_id: UUID, name: str) -> HttpResponseBase:
    """One of the job's files, or a part of it."""
    job = get_job(request.user, job_id)
    return files.respond(request, job, name, download="download" in request.GET)


@require_safe
@login_required
def log(request: HttpRequest, job_id: UUID, attempt: int) -> HttpResponse:
    """The end of what an attempt's body wrote."""
    job = get_job(request.user, job_id)
    tried = get_object_or_404(Attempt, job=job, number=attempt)
    files.ask(job, log_of(attempt))
    text, whole = shown.log_tail(tried)
    return render(request, "jobs/log.html", {"job": job, "attempt": tried, "text": text, "whole": whole})


@require_safe
@login_required
def whole_log(request: HttpRequest, job_id: UUID, attempt: int) -> HttpResponseBase:
    """All of it, as a file."""
    job = get_job(request.user, job_id)
    return files.respond_log(request, get_object_or_404(Attempt, job=job, number=attempt))


def _up(job: Job) -> bool:
    """Go before the one that is before it now, whoever's that is."""
    ahead = transitions.queue_of(job.slot_kind).filter(priority=job.priority, rank__lt=job.rank)
    before = ahead.reverse().first()
    return before is None or transitions.move(job, before=before)


CHANGES: dict[str, Callable[[Job], bool]] = {
    "pause": transitions.pause,
    "resume": transitions.resume,
    "cancel": transitions.cancel,
    "retry": transitions.retry,
    "up": transitions.move_in_group,
    "front": lambda job: transitions.move_in_group(job, to_front=True),
}
"""What members of a job's group may do; its place changes among the group's own jobs only."""
OVERTAKING: dict[str, Callable[[Job], bool]] = {
    "up": _up,
    "front": lambda job: transitions.move(job, to_front=True),
    "raise": lambda job: transitions.move(job, priority=job.priority + 1),
    "lower": lambda job: transitions.move(job, priority=job.priority - 1),
}
"""What only whoever runs the installation may do: it changes when other groups' jobs begin."""


def _change(request: HttpRequest, change: str) -> Callable[[Job], bool]:
    """Return what the user's change does. Raises ``PermissionDenied`` for one that is not for members."""
    if getattr(request.user, "is_staff", False) and change in OVERTAKING:
        return OVERTAKING[change]
    if change not in CHANGES:
        raise PermissionDenied
    return CHANGES[change]


def _tabs(current: str) -> dict[str, Any]:
    return {"tabs": [(state.value, state.label) for state in ENDED], "tab": current}


def _recent(jobs: paging.Lists) -> list[Job]:
    """The jobs that ended last, each state through its own index."""
    some = (job for state in ENDED for job in paging.newest(jobs, state).jobs[:RECENT])
    return heapq.nlargest(RECENT, some, key=lambda job: job.finished_at or job.created_at)

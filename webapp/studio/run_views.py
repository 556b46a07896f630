"""Training runs: starting one, following it, comparing its snapshots, converting with it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from faceengine.errors import ConfigError
from faceengine.jobs.shown import row as row_of
from webapp.consent.gate import Act, require_consent
from webapp.projects.access import Verb, get_project
from webapp.studio import services
from webapp.studio.access import get_run
from webapp.studio.errors import StudioError
from webapp.studio.files import is_there
from webapp.studio.forms import ConvertForm, RunForm
from webapp.studio.models import Run, Snapshot

SHOWN = 300
"""Snapshots of a run that its page shows, spread over all of it."""


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: HttpRequest, project_id: int) -> HttpResponse:
    """Start a training; with ``?parent=`` from a snapshot of an earlier one."""
    project = get_project(request.user, project_id, Verb.EDIT)
    require_consent(project, Act.TRAIN, request.user)
    snapshots = Snapshot.objects.filter(run__project=project).select_related("run__job")
    parent = _chosen(snapshots, request.GET.get("parent"))
    form = RunForm(request.POST or None, snapshots=snapshots, initial=_first_values(project.runs.count(), parent))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            run = services.start_run(
                request.user, project, said["name"], form.settings, parent=said["parent"]  # type: ignore[arg-type]
            )  # fmt: skip
            return redirect("studio:run", run.pk)
        except (StudioError, ConfigError) as error:
            form.add_error(None, _reason(error))
    return render(request, "studio/new_run.html", {"project": project, "form": form, "parent": parent})


def _first_values(count: int, parent: Snapshot | None) -> dict[str, Any]:
    """A branch has the settings of the run it comes from, as far as weights depend on them."""
    values: dict[str, Any] = {"name": f"{count + 1}"}
    if parent is not None:
        config = parent.run.job.config
        values |= {name: config.get(name) for name in ("preset", "octave", "batch")}
        values |= {"name": f"{parent.run.name} · {parent.iteration}"[:100], "parent": parent.pk}
    return values


@require_safe
@login_required
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """A run: how far it is, its snapshots, and what can be done with it."""
    found = get_run(request.user, run_id)
    snapshots = list(found.snapshots.all())
    return _page(request, found, snapshots, ConvertForm(run=found, kept=_kept(found, snapshots)))


def _kept(found: Run, snapshots: list[Snapshot]) -> list[Snapshot]:
    """Those whose checkpoints are still there."""
    return [one for one in snapshots if one.checkpoint and is_there(found.job, one.checkpoint)]


def _page(request: HttpRequest, found: Run, snapshots: list[Snapshot], form: ConvertForm) -> HttpResponse:
    row = row_of(request.user, found.job)
    with_previews = [one for one in snapshots if one.preview]
    context = {
        "run": found,
        "project": found.project,
        "job": found.job,
        "row": row,
        "editable": row.steerable,
        "snapshots": _spread(with_previews),
        "newest": with_previews[-1] if with_previews else None,
        "compared": _compared(with_previews, request),
        "kept": _kept(found, snapshots),
        "conversions": found.conversions.select_related("job", "score__job", "asset").order_by("-created_at", "-id"),
        "form": form,
    }
    return render(request, "studio/run.html", context)


def _spread(snapshots: list[Snapshot]) -> list[Snapshot]:
    """At most :data:`SHOWN` of them, the newest among them."""
    return snapshots[::-1][:: -(-len(snapshots) // SHOWN) or 1][::-1]


def _compared(snapshots: list[Snapshot], request: HttpRequest) -> list[Snapshot]:
    """The two snapshots that the address names."""
    by_key = {str(snapshot.pk): snapshot for snapshot in snapshots}
    chosen = (by_key.get(request.GET.get(name, "")) for name in ("one", "other"))
    return [snapshot for snapshot in chosen if snapshot is not None]


def _chosen(snapshots: Any, key: str | None) -> Snapshot | None:
    found: Snapshot | None = snapshots.filter(pk=key).first() if key and key.isdecimal() and len(key) < 19 else None
    return found


@require_POST
@login_required
def convert(request: HttpRequest, run_id: int) -> HttpResponse:
    """Convert a video with the run, or with one of its snapshots."""
    found = get_run(request.user, run_id, Verb.EDIT)
    snapshots = list(found.snapshots.all())
    form = ConvertForm(request.POST, run=found, kept=_kept(found, snapshots))
    if form.is_valid():
        said = form.cleaned_data
        try:
            conversion = services.start_conversion(
                request.user, found, said["asset"], form.settings, snapshot=said["snapshot"]  # type: ignore[arg-type]
            )  # fmt: skip
            return redirect("studio:conversion", conversion.pk)
        except (StudioError, ConfigError) as error:
            messages.error(request, _reason(error))
    return _page(request, found, snapshots, form)


def _reason(error: StudioError | ConfigError) -> str:
    return error.reason if isinstance(error, StudioError) else str(error)

"""Training runs: starting one, following it, comparing its snapshots, converting with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from faceengine.errors import ConfigError
from faceengine.jobs import shown
from faceengine.jobs.shown import Row
from faceengine.jobs.states import ENDED
from webapp.accounts.models import User
from webapp.consent.gate import Act, require_consent
from webapp.projects.access import Verb, get_project, reaches
from webapp.studio import live, services
from webapp.studio.access import get_run, get_run_and_role
from webapp.studio.errors import StudioError
from webapp.studio.estimates import LONG_SECONDS, TIME_WORDS, Recommended, about, estimates, recommended
from webapp.studio.files import is_there
from webapp.studio.forms import ConvertForm, LongerForm, RunForm
from webapp.studio.models import Run, Snapshot

RowT = TypeVar("RowT", bound=Model)

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
    best = recommended()
    form = RunForm(request.POST or None, snapshots=snapshots, initial=_first_values(project.runs.count(), parent, best))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            run = services.start_run(
                request.user, project, said["name"], form.settings, parent=said["parent"]  # type: ignore[arg-type]
            )  # fmt: skip
            return redirect("studio:run", run.pk)
        except (StudioError, ConfigError) as error:
            form.add_error(None, _reason(error))
    context = {"project": project, "form": form, "parent": parent}
    return render(request, "studio/new_run.html", context | _times(best))


def _times(best: Recommended) -> dict[str, Any]:
    """What the form says of the time that a training takes, and its script needs to say it anew."""
    known = estimates()
    return {
        "estimates": known,
        "best": best,
        "best_words": next(one.words for one in known if one.preset == best.preset),
        "best_time": about(best.minutes * 60),
        "times": {
            "presets": {one.preset: {"iterations": one.iterations, "rate": one.rate(gpu=best.gpu)} for one in known},
            "words": {name: str(words) for name, words in TIME_WORDS.items()},
            "long": LONG_SECONDS,
        },
    }


def _first_values(count: int, parent: Snapshot | None, best: Recommended) -> dict[str, Any]:
    """What fits this installation; a branch has the settings of its run, as far as weights depend on them."""
    values: dict[str, Any] = {"name": f"{count + 1}", "preset": best.preset, "minutes": best.minutes}
    if parent is not None:
        config = parent.run.job.config
        values |= {name: config.get(name) for name in ("preset", "octave", "batch")}
        values |= {"name": f"{parent.run.name} · {parent.iteration}"[:100], "parent": parent.pk}
    return values


@require_safe
@login_required
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """A run, live: losses, previews, its snapshots, and what can be done with it. ``?like=`` a still: its settings."""
    found, role = get_run_and_role(request.user, run_id)
    snapshots = list(found.snapshots.all())
    form = ConvertForm(run=found, kept=_kept(found, snapshots), initial=_like(found, request.GET.get("like")))
    return _page(request, found, snapshots, form, editable=reaches(role, Verb.EDIT))


def _kept(found: Run, snapshots: list[Snapshot]) -> list[Snapshot]:
    """Those whose checkpoints are still there."""
    return [one for one in snapshots if one.checkpoint and is_there(found.job, one.checkpoint)]


def _like(found: Run, key: str | None) -> dict[str, Any]:
    """A still's settings, for the form."""
    still = _chosen(found.stills.select_related("job", "asset"), key)
    if still is None:
        return {}
    own = {"asset": still.asset_id, "snapshot": still.snapshot_id, "at": round(still.seconds, 2), "layout": "result"}
    return {**still.job.config, **own}


def _page(
    request: HttpRequest,
    found: Run,
    snapshots: list[Snapshot],
    form: ConvertForm,
    longer: LongerForm | None = None,
    *,
    editable: bool = True,
) -> HttpResponse:
    """The run's page; whoever has sent one of its forms may change the run."""
    with_previews = [one for one in snapshots if one.preview]
    iteration = max((one.iteration for one in snapshots if one.checkpoint), default=0)
    ended = found.job.state in ENDED and iteration > 0
    context = {
        "run": found,
        "project": found.project,
        "people": found.project.people.all(),
        "job": found.job,
        "row": Row(found.job, editable),
        "editable": editable,
        "warnings": live.warnings(found.job),
        "snapshots": _spread(with_previews),
        "compared": _compared(with_previews, request),
        "kept": form.kept,
        "conversions": found.conversions.select_related("job", "score__job", "asset").order_by("-created_at", "-id"),
        "form": form,
        "stills": found.stills.select_related("job", "asset", "snapshot").order_by("-created_at", "-id"),
        "iteration": iteration,
        "longer": (longer or LongerForm()) if ended else None,
    }
    previews = [{"iteration": one.iteration, "path": one.preview} for one in with_previews]
    return render(request, "studio/run.html", context | shown.live(found.job, previews, bool(snapshots)))


def _spread(snapshots: list[Snapshot]) -> list[Snapshot]:
    """At most :data:`SHOWN` of them, the newest among them."""
    return snapshots[::-1][:: -(-len(snapshots) // SHOWN) or 1][::-1]


def _compared(snapshots: list[Snapshot], request: HttpRequest) -> list[Snapshot]:
    """The two snapshots that the address names."""
    by_key = {str(snapshot.pk): snapshot for snapshot in snapshots}
    chosen = (by_key.get(request.GET.get(name, "")) for name in ("one", "other"))
    return [snapshot for snapshot in chosen if snapshot is not None]


def _chosen(rows: QuerySet[RowT], key: str | None) -> RowT | None:
    return rows.filter(pk=key).first() if key and key.isdecimal() and len(key) < 19 else None


@require_POST
@login_required
def convert(request: HttpRequest, run_id: int) -> HttpResponse:
    """Convert a video with the run, or with one of its snapshots."""

    def begin(found: Run, form: ConvertForm) -> HttpResponse:
        said, user = form.cleaned_data, cast(User, request.user)
        made = services.start_conversion(user, found, said["asset"], form.settings, snapshot=said["snapshot"])
        return redirect("studio:conversion", made.pk)

    return _begun(request, run_id, begin)


@require_POST
@login_required
def still(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show one frame of what that would give."""

    def begin(found: Run, form: ConvertForm) -> HttpResponse:
        said, user = form.cleaned_data, cast(User, request.user)
        at = said["at"] or 0.0
        made = services.show_still(user, found, said["asset"], form.settings, at, snapshot=said["snapshot"])
        return redirect(f"{reverse('studio:run', args=[found.pk])}?like={made.pk}#stills")

    return _begun(request, run_id, begin)


def _begun(request: HttpRequest, run_id: int, begin: Callable[[Run, ConvertForm], HttpResponse]) -> HttpResponse:
    """What ``begin`` answers; the page again, with the reason, if the form is wrong or it may not be."""
    found = get_run(request.user, run_id, Verb.EDIT)
    snapshots = list(found.snapshots.all())
    form = ConvertForm(request.POST, run=found, kept=_kept(found, snapshots))
    if form.is_valid():
        try:
            return begin(found, form)
        except (StudioError, ConfigError) as error:
            messages.error(request, _reason(error))
    return _page(request, found, snapshots, form)


@require_POST
@login_required
def longer(request: HttpRequest, run_id: int) -> HttpResponse:
    """Let a run that has ended go on."""
    found = get_run(request.user, run_id, Verb.EDIT)
    form = LongerForm(request.POST)
    if form.is_valid():
        try:
            services.train_longer(cast(User, request.user), found, **form.cleaned_data)
            return redirect("studio:run", run_id)
        except (StudioError, ConfigError) as error:
            form.add_error(None, _reason(error))
    snapshots = list(found.snapshots.all())
    return _page(request, found, snapshots, ConvertForm(run=found, kept=_kept(found, snapshots)), form)


def _reason(error: StudioError | ConfigError) -> str:
    return error.reason if isinstance(error, StudioError) else str(error)

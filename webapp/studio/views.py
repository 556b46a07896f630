"""Projects as people see them: all of one's own, a new one, one with all that is in it, and its faces' extraction."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from faceengine.jobs.states import State
from webapp.accounts.models import Role, Team
from webapp.accounts.services import found_team
from webapp.pages import page_of
from webapp.projects.access import REACH, Verb, get_person, get_project, get_project_and_role, projects_of
from webapp.projects.forms import ProjectForm
from webapp.projects.services import create_project, rename_project
from webapp.studio import services
from webapp.studio.errors import StudioError
from webapp.studio.forms import ExtractForm
from webapp.studio.standing import standings

SHOWN = 50
"""Projects, and runs and conversions of one, on a page."""
_EDITORS = [role for role, reach in REACH.items() if reach.value >= Verb.EDIT.value]


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """One's projects, where each stands, and what to do next."""
    projects = projects_of(request.user).select_related("team")[: SHOWN + 1]
    context = {"standings": standings(projects[:SHOWN]), "more": len(projects) > SHOWN}
    return render(request, "projects/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Begin a project; somebody without a team gets one with it."""
    user: Any = request.user
    teams = Team.objects.filter(memberships__user=user, memberships__role__in=_EDITORS).order_by("name", "pk")
    if not teams and user.memberships.exists():
        raise PermissionDenied
    form = ProjectForm(request.POST or None, teams=teams)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        team = said.get("team") or found_team(user, _("Team of %(email)s") % {"email": user.email[:80]})
        project = create_project(user, team, said["name"], a=said["a"], b=said["b"])
        return redirect("studio:project", project.pk)
    return render(request, "projects/new.html", {"form": form})


@require_safe
@login_required
def project(request: HttpRequest, project_id: int) -> HttpResponse:
    """All of a project: its people, runs and conversions, and the next thing to do."""
    found, role = get_project_and_role(request.user, project_id)
    (standing,) = standings([found])
    context = {
        "project": found,
        "standing": standing,
        "runs": page_of(standing.runs, request.GET.get("runs"), SHOWN),
        "conversions": page_of(standing.conversions, request.GET.get("conversions"), SHOWN),
        "scored": any(hasattr(one, "score") and one.score.job.state == State.DONE for one in standing.conversions),
        "editable": role in _EDITORS,
        "manages": role == Role.OWNER,
        "extract": ExtractForm(),
    }
    return render(request, "projects/detail.html", context)


@require_POST
@login_required
def rename(request: HttpRequest, project_id: int) -> HttpResponse:
    """Give a project another name."""
    found = get_project(request.user, project_id, Verb.EDIT)
    name = request.POST.get("name", "").strip()
    try:
        if name:
            rename_project(request.user, found, name)  # type: ignore[arg-type]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("studio:project", project_id)


@require_POST
@login_required
def extract(request: HttpRequest, project_id: int, side: str) -> HttpResponse:
    """Extract the faces of one person from all footage that is there."""
    person = get_person(request.user, project_id, side, Verb.EDIT)
    form = ExtractForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The settings of the extraction are out of range."))
        return redirect("studio:project", project_id)
    try:
        services.extract_faces(request.user, person, **form.settings)  # type: ignore[arg-type]
    except StudioError as error:
        messages.warning(request, error.reason)
    return redirect("studio:project", project_id)

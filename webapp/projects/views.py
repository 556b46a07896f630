"""The pages of projects: all of one's own, a new one, and one with all that is in it. What of a project lies in apps
above this one, they add themselves (``pages.py``)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webapp.accounts.access import REACH
from webapp.accounts.models import Role, Team
from webapp.accounts.services import found_team
from webapp.projects import pages
from webapp.projects.access import Verb, get_project, get_project_and_role, projects_of
from webapp.projects.forms import ProjectForm
from webapp.projects.services import create_project, rename_project

SHOWN = 50
"""Projects on a page."""
_EDITORS = [role for role, reach in REACH.items() if reach.value >= Verb.EDIT.value]


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """One's projects, where each stands, and what to do next."""
    found = list(projects_of(request.user).select_related("team")[: SHOWN + 1])
    context = {"more": len(found) > SHOWN, **pages.context_of(pages.listed, projects=found[:SHOWN])}
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
        return redirect("project", project.pk)
    return render(request, "projects/new.html", {"form": form})


@require_safe
@login_required
def project(request: HttpRequest, project_id: int) -> HttpResponse:
    """All of a project, and the next thing to do."""
    found, role = get_project_and_role(request.user, project_id)
    context = {
        "project": found,
        "editable": role in _EDITORS,
        "manages": role == Role.OWNER,
        **pages.context_of(pages.opened, project=found, request=request),
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
    return redirect("project", project_id)

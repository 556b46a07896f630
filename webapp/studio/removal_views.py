"""Deleting a conversion, a run or a project: asked for by a form on its page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from webapp.projects.access import Verb, get_project
from webapp.studio import removal
from webapp.studio.access import get_conversion, get_run
from webapp.studio.errors import StudioError


@require_POST
@login_required
def conversion(request: HttpRequest, conversion_id: int) -> HttpResponse:
    """Delete a conversion with its score."""
    found = get_conversion(request.user, conversion_id, Verb.EDIT, act=None)
    user: Any = request.user
    try:
        removal.delete_conversion(user, found)
    except StudioError as error:
        messages.error(request, error.reason)
        return redirect("studio:conversion", conversion_id)
    return _done(request, str(found), found.run.project_id)


@require_POST
@login_required
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """Delete a run with all that was made with it."""
    found = get_run(request.user, run_id, Verb.EDIT, act=None)
    user: Any = request.user
    try:
        removal.delete_run(user, found)
    except StudioError as error:
        messages.error(request, error.reason)
        return redirect("studio:run", run_id)
    return _done(request, found.name, found.project_id)


@require_POST
@login_required
def project(request: HttpRequest, project_id: int) -> HttpResponse:
    """Delete a project with all that is in it; owners only, who write its name to say that they mean it."""
    found = get_project(request.user, project_id, Verb.MANAGE)
    user: Any = request.user
    if request.POST.get("name", "").strip() != found.name:
        messages.error(request, _("That is not the project's name. Nothing was deleted."))
        return redirect("project", project_id)
    try:
        removal.delete_project(user, found)
    except StudioError as error:
        messages.error(request, error.reason)
        return redirect("project", project_id)
    messages.success(request, _("%(name)s is deleted.") % {"name": found.name})
    return redirect("home")


def _done(request: HttpRequest, name: str, project_id: int) -> HttpResponse:
    messages.success(request, _("%(name)s is deleted.") % {"name": name})
    return redirect("project", project_id)

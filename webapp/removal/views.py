"""Deleting a conversion, a run or a project, asked for by a form on its page; and a copy of one's own data."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from webapp.consent import links, services
from webapp.consent.limits import slow_down
from webapp.consent.person_views import ANSWERS, public
from webapp.projects.access import Verb, get_project
from webapp.removal import deletion, export
from webapp.studio.access import get_conversion, get_run
from webapp.studio.errors import StudioError


@require_POST
@login_required
def conversion(request: HttpRequest, conversion_id: int) -> HttpResponse:
    """Delete a conversion with its score."""
    found = get_conversion(request.user, conversion_id, Verb.EDIT, act=None)
    user: Any = request.user
    try:
        deletion.delete_conversion(user, found)
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
        deletion.delete_run(user, found)
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
        messages.error(request, _("This is not the project's name. Nothing was deleted."))
        return redirect("project", project_id)
    try:
        deletion.delete_project(user, found)
    except StudioError as error:
        messages.error(request, error.reason)
        return redirect("project", project_id)
    messages.success(request, _("%(name)s was deleted.") % {"name": found.name})
    return redirect("home")


def _done(request: HttpRequest, name: str, project_id: int) -> HttpResponse:
    messages.success(request, _("%(name)s was deleted.") % {"name": name})
    return redirect("project", project_id)


@require_safe
@public
def my_data(request: HttpRequest, own_token: str) -> HttpResponse:
    """All that is held about a person, as one archive, by their own link."""
    consent = links.consent_behind(own_token)
    slow_down(request, "data", ANSWERS, own_token)
    response = HttpResponse(export.archive(consent), content_type="application/zip")
    services.data_taken(consent)
    response["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return response

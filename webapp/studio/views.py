"""The extraction of a person's faces, asked for on the page of the project."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from webapp.projects.access import Verb, get_person
from webapp.studio import services
from webapp.studio.errors import StudioError
from webapp.studio.forms import ExtractForm


@require_POST
@login_required
def extract(request: HttpRequest, project_id: int, side: str) -> HttpResponse:
    """Extract the faces of one person from all footage that is there."""
    person = get_person(request.user, project_id, side, Verb.EDIT)
    form = ExtractForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The extraction settings are out of range. Correct them and try again."))
        return redirect("project", project_id)
    try:
        services.extract_faces(request.user, person, **form.settings)  # type: ignore[arg-type]
    except StudioError as error:
        messages.warning(request, error.reason)
    return redirect("project", project_id)

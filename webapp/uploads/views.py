"""The room of one person's footage: what is there, what is on its way, and its files."""

from __future__ import annotations

from pathlib import PurePath
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from faceengine.jobs import files
from webapp.consent.gate import Act, require_consent
from webapp.file_reasons import reason
from webapp.pages import page_of
from webapp.projects.access import Verb, get_person, reaches, role_of
from webapp.projects.models import Person
from webapp.uploads import services
from webapp.uploads.access import get_asset, get_upload
from webapp.uploads.arrivals import UploadError
from webapp.uploads.models import Asset, AssetState, Upload
from webapp.uploads.quotas import quota

SHOWN = 100
"""Assets on one page of the room."""
PARTS = ("file", "poster", "filmstrip")
SCRIPT_WORDS = {
    "waiting": gettext_lazy("waiting"),
    "arrived": gettext_lazy("uploaded"),
    "line": gettext_lazy("The connection was lost for too long. Press Resume when it is back."),
    "signed_out": gettext_lazy("You are signed out. The upload resumes when you have signed in again."),
    "refused": gettext_lazy("The studio rejected this upload. Reload the page. Your role may have changed."),
    "too_large": reason("upload.too_large"),
    "empty": reason("upload.empty"),
}
"""What the page's script says."""


@require_safe
@login_required
def room(request: HttpRequest, project_id: int, side: str) -> HttpResponse:
    """One person's assets, and where more are dropped."""
    person = get_person(request.user, project_id, side)
    require_consent(person.project, Act.PREVIEW, request.user)
    role = role_of(request.user, person.project.team_id)
    all_ = Asset.objects.filter(person=person).select_related("job").order_by("-created_at", "-id")
    assets = page_of(all_.exclude(state=AssetState.REFUSED), request.GET.get("page"), SHOWN)
    refused = page_of(all_.filter(state=AssetState.REFUSED), request.GET.get("refused"), SHOWN)
    context = {
        "project": person.project,
        "people": person.project.people.all(),
        "person": person,
        "assets": assets,
        "refused": [(asset, reason(asset.code)) for asset in refused],
        "refused_page": refused,
        "broken_off": _broken_off(request, person, everybody_s=reaches(role, Verb.MANAGE)),
        "quota": quota(person.project.team_id),
        "editable": reaches(role, Verb.EDIT),
        "part_bytes": settings.UPLOADS_PART_MB << 20,
        "largest": settings.UPLOADS_FILE_MB << 20,
        "js_words": {name: str(words) for name, words in SCRIPT_WORDS.items()},
        "form_largest": settings.MAX_BODY_MB << 20,
    }
    return render(request, "uploads/room.html", context)


def _broken_off(request: HttpRequest, person: Person, *, everybody_s: bool) -> QuerySet[Upload]:
    """Return the user's own unfinished uploads, or everybody's for an owner, who can remove them."""
    found = Upload.objects.filter(person=person, asset=None, expires_at__gt=timezone.now())
    if not everybody_s:
        found = found.filter(uploaded_by=request.user.pk)
    return found.select_related("uploaded_by").order_by("-created_at")


@require_POST
@login_required
def send(request: HttpRequest, project_id: int, side: str) -> HttpResponse:
    """Small files by a plain form, for browsers without scripts."""
    person = get_person(request.user, project_id, side, Verb.EDIT)
    sent = request.FILES.getlist("files")
    for file in sent:
        try:
            upload = services.begin(request.user, person, file.name or "", file.size or 0)  # type: ignore[arg-type]
            services.append(upload, 0, file)
        except UploadError as error:
            messages.error(request, f"{file.name}: {reason(error.code)}")
    if not sent:
        messages.warning(request, _("No file was chosen. Choose at least one file."))
    return redirect("uploads:room", project_id, side)


@require_POST
@login_required
def give_up(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Remove what has arrived of an upload that was broken off: one's own, or a member's where one is an owner."""
    upload = get_upload(request.user, upload_id, to_remove=True)
    try:
        services.terminate(upload)
    except UploadError as error:
        messages.error(request, str(reason(error.code)))
    return redirect("uploads:room", upload.person.project_id, upload.person.side)


@require_POST
@login_required
def delete(request: HttpRequest, asset_id: int) -> HttpResponse:
    """Delete an asset with its files."""
    asset = get_asset(request.user, asset_id, Verb.EDIT, act=None)
    services.delete_asset(request.user, asset)  # type: ignore[arg-type]
    messages.success(request, _("%(name)s was deleted.") % {"name": asset.name})
    room = reverse("uploads:room", args=[asset.person.project_id, asset.person.side])
    return redirect(f"{room}{_where(request)}")


def _where(request: HttpRequest) -> str:
    """Return the query of the page of the room that a form was on."""
    name, _equals, number = request.POST.get("where", "").partition("=")
    return f"?{name}={number}" if name in ("page", "refused") and number.isdecimal() and len(number) < 9 else ""


@require_POST
@login_required
def retry(request: HttpRequest, asset_id: int) -> HttpResponse:
    """Look at a file again that was not refused for its own fault."""
    asset = get_asset(request.user, asset_id, Verb.EDIT)
    if not services.retry(asset):
        messages.warning(request, _("The file has changed in the meantime, so it was not retried."))
    return redirect("uploads:room", asset.person.project_id, asset.person.side)


@require_safe
@login_required
def file(request: HttpRequest, asset_id: int, part: str) -> HttpResponseBase:
    """The video or picture, its poster, or its filmstrip: only what the studio itself has made."""
    asset = get_asset(request.user, asset_id)
    if part not in PARTS or asset.state != AssetState.READY or asset.job is None or not getattr(asset, part):
        raise Http404
    name = getattr(asset, part).removeprefix(f"{asset.job.folder}/")
    download = "download" in request.GET
    response = files.respond(request, asset.job, name, download=download)
    response["Cache-Control"] = "private, no-store"
    if download and "Content-Disposition" in response:
        called = PurePath(asset.name).stem + PurePath(name).suffix
        response["Content-Disposition"] = content_disposition_header(True, called) or "attachment"
    return response

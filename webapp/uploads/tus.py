"""tus 1.0 (https://tus.io/protocols/resumable-upload): creation, checksum, expiration and termination.

A part of a file is one request, and the server has it whole, in a temporary file, before a view sees it. So a part is
small (``UPLOADS_PART_MB``), one that was cut off never counts, and a view is a plain function.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from django.views.decorators.http import require_http_methods

from webapp.consent.errors import ConsentError
from webapp.consent.middleware import see_to_entry
from webapp.fair.middleware import busy
from webapp.fair.turns import BusyError
from webapp.file_reasons import reason
from webapp.projects.access import Verb, get_person
from webapp.uploads import services
from webapp.uploads.access import get_upload
from webapp.uploads.arrivals import UploadError
from webapp.uploads.models import Upload

VERSION = "1.0.0"
PART = "application/offset+octet-stream"
CHECKSUMS = ("sha1", "sha256")
_ABLE = {
    "Tus-Version": VERSION,
    "Tus-Extension": "creation,creation-with-upload,checksum,termination,expiration",
    "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
}
View = Callable[..., HttpResponse]


def speaks_tus(view: View) -> View:
    """A view that answers what every tus server must, for people who are signed in; errors carry their code."""

    @wraps(view)
    def speaking(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        try:
            response: HttpResponse = _greet(request) or view(request, *arguments, **named)
        except UploadError as error:
            response = _refusal(error)
        except BusyError as error:
            response = busy(error)
            response["Upload-Error"] = error.code
        except ConsentError as error:
            see_to_entry(request, error)
            response = _said(error.text, error.code, 409)
        response["Tus-Resumable"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    return speaking


def _greet(request: HttpRequest) -> HttpResponse | None:
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers=_ABLE | {"Tus-Max-Size": str(settings.UPLOADS_FILE_MB << 20)})
    if request.headers.get("Tus-Resumable") != VERSION:
        refusal = _refusal(UploadError("upload.version", 412))
        refusal["Tus-Version"] = VERSION
        return refusal
    return None


def _refusal(error: UploadError) -> HttpResponse:
    return _said(str(reason(error.code)), error.code, error.status)


def _said(text: str, code: str, status: int) -> HttpResponse:
    return HttpResponse(text, "text/plain; charset=utf-8", status, headers={"Upload-Error": code})


@require_http_methods(["OPTIONS", "POST"])
@speaks_tus
def create(request: HttpRequest, project_id: int, side: str) -> HttpResponse:
    """Begin an upload for a person, perhaps with its first part."""
    person = get_person(request.user, project_id, side, Verb.EDIT)
    name = _metadata(request).get("filename", "")
    upload = services.begin(request.user, person, name, _number(request, "Upload-Length", "upload.length"))  # type: ignore[arg-type]
    if request.content_type == PART:
        services.append(upload, 0, request, checksum=_checksum(request))
    return _standing(upload, 201, {"Location": reverse("uploads:upload", args=[upload.pk])})


@require_http_methods(["OPTIONS", "HEAD", "PATCH", "DELETE"])
@speaks_tus
def upload(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Ask how far an upload is, add a part to it, or give it up."""
    upload = get_upload(request.user, upload_id, to_remove=request.method == "DELETE")
    if request.method == "DELETE":
        services.terminate(upload)
        return HttpResponse(status=204)
    if upload.asset_id is None and upload.expires_at < timezone.now():
        raise UploadError("upload.expired", 410)
    if request.method == "HEAD":
        services.standing(upload)
        return _standing(upload, 200, {"Upload-Length": str(upload.size)})
    if request.content_type != PART:
        raise UploadError("upload.type", 415)
    offset = _number(request, "Upload-Offset", "upload.offset")
    services.append(upload, offset, request, checksum=_checksum(request))
    return _standing(upload, 204)


def _standing(upload: Upload, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    known = {"Upload-Offset": str(upload.offset), "Upload-Expires": http_date(upload.expires_at.timestamp())}
    return HttpResponse(status=status, headers=known | (headers or {}))


def _number(request: HttpRequest, header: str, code: str) -> int:
    value = request.headers.get(header, "")
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise UploadError(code, 400)
    return int(value)


def _metadata(request: HttpRequest) -> dict[str, str]:
    """``name base64,name base64``; a name alone has an empty value."""
    pairs = (
        pair.strip().partition(" ") for pair in request.headers.get("Upload-Metadata", "").split(",") if pair.strip()
    )
    try:
        return {name: base64.b64decode(value, validate=True).decode() for name, _, value in pairs}
    except ValueError:
        raise UploadError("upload.metadata", 400) from None


def _checksum(request: HttpRequest) -> tuple[str, bytes] | None:
    """``sha256 base64``."""
    value = request.headers.get("Upload-Checksum")
    if value is None:
        return None
    name, _, digest = value.partition(" ")
    try:
        wanted = base64.b64decode(digest, validate=True)
    except binascii.Error:
        name = ""
    if name not in CHECKSUMS:
        raise UploadError("upload.checksum", 400)
    return name, wanted

"""``/verify/``: who made a file, from what, whether it was changed, and whether consent still stands. For everybody."""

from __future__ import annotations

from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from webapp.clients import client_key
from webapp.provenance import arriving
from webapp.provenance.errors import VerifyError
from webapp.provenance.shown import shown
from webapp.provenance.verifying import verify as verified

ResponseT = TypeVar("ResponseT", bound=HttpResponse)


@csrf_exempt  # nobody's rights are used and nothing is changed; scripts may ask as well
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """The page; or what a file says, which is sent whole (``file``) or was sent in parts (``token``)."""
    if request.method != "POST":
        return render(request, "provenance/verify.html", _limits())
    sent = request.FILES.get("file")
    try:
        if sent is None and not request.POST.get("token"):
            raise VerifyError("verify.no_file")
        with arriving.arrived(client_key(request), request.POST.get("token", ""), sent) as path:
            found = verified(path)
    except VerifyError as error:
        return _refused(request, error)
    if not _wants_page(request):
        return _uncached(JsonResponse(found))
    name = (sent.name if sent is not None else request.POST.get("name")) or ""
    return _uncached(render(request, "provenance/verify.html", _limits() | {"found": shown(found, name)}))


@csrf_exempt
@require_POST
def begin(request: HttpRequest) -> JsonResponse:
    """Room for a file that comes in parts."""
    try:
        return _uncached(JsonResponse({"token": arriving.begin(client_key(request))}, status=201))
    except VerifyError as error:
        return _told(error)


@csrf_exempt
@require_POST
def part(request: HttpRequest, token: str) -> JsonResponse:
    """The next part of it, ``?offset=`` from its beginning."""
    offset = request.GET.get("offset", "")
    try:
        if not offset.isdecimal() or len(offset) > 18:
            raise VerifyError("verify.offset")
        return _uncached(JsonResponse({"offset": arriving.append(token, int(offset), request.body)}))
    except VerifyError as error:
        return _told(error)


def _limits() -> dict[str, Any]:
    return {"largest": settings.VERIFY_FILE_MB << 20, "form_largest": settings.MAX_BODY_MB << 20, "part_bytes": _PART}


_PART = settings.UPLOADS_PART_MB << 20


def _refused(request: HttpRequest, error: VerifyError) -> HttpResponse:
    if not _wants_page(request):
        return _told(error)
    context = _limits() | {"refused": error.reason}
    return _later(render(request, "provenance/verify.html", context, status=error.status), error)


def _told(error: VerifyError) -> JsonResponse:
    return _later(JsonResponse({"code": error.code, "text": error.reason}, status=error.status), error)


def _later(response: ResponseT, error: VerifyError) -> ResponseT:
    """Say when to come again, where that helps."""
    if error.status in (429, 503):
        response["Retry-After"] = str(error.retry_after)
    return _uncached(response)


def _uncached(response: ResponseT) -> ResponseT:
    response["Cache-Control"] = "no-store"
    return response


def _wants_page(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "")

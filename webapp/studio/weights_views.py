"""The networks that the engine works with: what is here, what is missing, and what that means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from faceengine import fetching
from faceengine.weights import WEIGHTS, Weight, find

USES: dict[str, Promise] = {
    "mtcnn-p": _("face detection, stage 1"),
    "mtcnn-r": _("face detection, stage 2"),
    "mtcnn-o": _("face detection, stage 3, with the five points"),
    "dlib-68": _("68 facial landmarks"),
    "dlib-resnet": _("face recognition"),
    "fan-2d": _("68 facial landmarks, more accurate; if it is missing, dlib is used"),
    "facenet-vggface2": _(
        "face recognition, more accurate, and perceptual loss; if it is missing, dlib is used and "
        "there is no perceptual loss"
    ),
}


@dataclass(frozen=True)
class Row:
    """One network."""

    weight: Weight

    @property
    def use(self) -> Promise | str:
        return USES.get(self.weight.name, "")

    @cached_property
    def size(self) -> int | None:
        """Bytes on this machine; ``None`` if it is not here."""
        path = find(self.weight.name)
        return path.stat().st_size if path else None

    @property
    def whole(self) -> bool:
        """Whether it has the size that it should have. Its hash is checked whenever it is loaded."""
        return self.size is not None and self.weight.size in (None, self.size)


_LOOK_AGAIN = 3
"""Seconds after which a page that shows a download shows it again."""


@require_safe
@login_required
def weights(request: HttpRequest) -> HttpResponse:
    """Every network, with licence, source and hash; and how far the download of what is missing is."""
    state = fetching.Fetching.here()
    context = {
        "rows": [Row(weight) for weight in WEIGHTS.values()],
        "fetching": state,
        "missing": bool(fetching.missing()),
        "off": fetching.off(),
        "may_fetch": _may_fetch(request),
    }
    response = render(request, "studio/weights.html", context)
    if state.running:
        response["Refresh"] = str(_LOOK_AGAIN)
    return response


@require_POST
@login_required
def fetch(request: HttpRequest) -> HttpResponse:
    """Begin to download what is missing, for whoever runs the installation; 403 for all others."""
    if not _may_fetch(request):
        raise PermissionDenied
    if fetching.off():
        messages.error(request, _("Downloads are disabled on this installation (FETCH_WEIGHTS=0)."))
    else:
        fetching.begin()
    return redirect("studio:weights")


def _may_fetch(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_staff", False))

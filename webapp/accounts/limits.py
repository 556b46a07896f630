"""How often somebody may try to sign in, or have mail sent. django-axes counts sign-ins; here is what it asks, and what
people see."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webapp.accounts.services import TeamError

_HOUR = 3600


def once_more(what: str, most: int) -> None:
    """Count ``what``. Raises :class:`TeamError` ``mail.often`` when that was more than ``most`` times in an hour."""
    key = f"accounts:{sha256(what.encode()).hexdigest()}"  # people may write anything where an address goes
    cache.add(key, 0, _HOUR)
    try:
        times = cache.incr(key)
    except ValueError:  # it ran out just now
        return
    if times > most:
        raise TeamError("mail.often")


def account_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The account somebody tries, written in one way only."""
    said = credentials or request.POST
    return str(said.get("username") or "").strip().lower()


def locked_out(request: HttpRequest, _response: Any = None, _credentials: Any = None) -> HttpResponse:
    """The sign-in page once more, with when to try again. It says the same whether there is such an account or not."""
    from webapp.accounts.address_limit import wait_of  # it counts with a model

    minutes = wait_of(request) or int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    context = {"form": AuthenticationForm(request), "next": request.POST.get("next", ""), "wait": minutes}
    context["mail"] = bool(settings.EMAIL_HOST)
    response = render(request, "accounts/sign_in.html", context, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response

"""How many wrong passwords one address may try for all accounts together: a few for each of many adds up as well.

django-axes counts by account and address (``limits.py``); its handler here counts by address too, in a table of axes'
that has a row for each wrong password of the last hour, and says of none for which account it was.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessFailureLog
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from webapp.clients import client_address, network_of

WITHIN = timedelta(hours=1)


class AddressHandler(AxesDatabaseHandler):  # type: ignore[misc]
    """axes' own, which also locks an address out."""

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        """Whether this account may not be tried from here, or none."""
        return bool(super().is_locked(request, credentials)) or wait_of(request) > 0

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **more: Any) -> None:
        """Count it, unless it was refused unread: then no password was tried."""
        refused = request is None or not self.is_allowed(request, credentials)
        super().user_login_failed(sender, credentials, request, **more)
        if not refused:
            _remember(request)
        if request is not None and wait_of(request) > 0:
            request.axes_locked_out, request.axes_credentials = True, credentials


def wait_of(request: HttpRequest) -> int:
    """Minutes until the request's address may try a password again; 0: now."""
    place, most = network_of(client_address(request)), settings.SIGN_IN_FAILURES
    if place is None or not most:
        return 0
    now = timezone.now()
    lately = AccessFailureLog.objects.filter(ip_address=place, attempt_time__gt=now - WITHIN).order_by("-attempt_time")
    # Once the oldest of the last so many is an hour old, there is room for one more.
    oldest = lately.values_list("attempt_time", flat=True)[most - 1 : most].first()
    return 0 if oldest is None else max(1, math.ceil((oldest + WITHIN - now).total_seconds() / 60))


def _remember(request: HttpRequest) -> None:
    AccessFailureLog.objects.filter(attempt_time__lt=timezone.now() - WITHIN).delete()
    if (place := network_of(client_address(request))) is not None:
        AccessFailureLog.objects.create(ip_address=place)

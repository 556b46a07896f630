"""Accounts, for whoever runs the installation: vouching for people they know, and links for forgotten passwords."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.models import User
from webapp.accounts.proofs import unprove, vouch
from webapp.accounts.records import record_of_account
from webapp.accounts.resets import HOURS, make_reset_link
from webapp.accounts.services import TeamError
from webapp.operations.views import staff_only

PAGE = 100


@require_safe
@staff_only
def accounts(request: HttpRequest) -> HttpResponse:
    """All accounts, a page at a time, the newest first."""
    return _page(request)


def _page(request: HttpRequest, **shown: Any) -> HttpResponse:
    found = User.objects.prefetch_related("memberships__team").order_by("-pk")
    if query := request.GET.get("q", "").strip()[:254].replace("\0", ""):
        found = found.filter(email__icontains=query)
    after = request.GET.get("after", "")
    if after.isdecimal() and len(after) < 19:
        found = found.filter(pk__lt=int(after))
    page = list(found[: PAGE + 1])
    context = {
        "accounts": page[:PAGE],
        "next": page[PAGE - 1].pk if len(page) > PAGE else None,
        "query": query,
        "hours": HOURS,
    }
    return render(request, "operations/accounts.html", context | shown)


@require_POST
@staff_only
def vouch_for(request: HttpRequest, user_id: int) -> HttpResponse:
    """Confirm that a person of one's own is behind the account. Not for oneself: that proves nothing."""
    user, staff = get_object_or_404(User, pk=user_id), _staff(request)
    try:
        with transaction.atomic():
            vouch(user, staff)
            record_of_account(staff, "account.vouched", user)
    except TeamError as error:
        messages.error(request, error.reason)
    else:
        messages.success(request, _("You now vouch for %(email)s.") % {"email": user.email})
    return redirect("operations:accounts")


@require_POST
@staff_only
def take_back(request: HttpRequest, user_id: int) -> HttpResponse:
    """Forget that the account is proven."""
    user = get_object_or_404(User, pk=user_id)
    with transaction.atomic():
        unprove(user)
        record_of_account(_staff(request), "account.unproven", user)
    return redirect("operations:accounts")


@require_POST
@staff_only
@never_cache
def reset_link(request: HttpRequest, user_id: int) -> HttpResponse:
    """Make a link for a forgotten password; it is in the answer to this very request, and nowhere else."""
    user = get_object_or_404(User, pk=user_id)
    try:
        token = make_reset_link(user, _staff(request))
    except TeamError as error:
        messages.error(request, error.reason)
        return redirect("operations:accounts")
    link = request.build_absolute_uri(reverse("set-password", args=[token]))
    return _page(request, link=link, whose=user.email)


def _staff(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]

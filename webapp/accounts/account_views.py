"""One's own account: its address and whether that is proven, and another password."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webapp.accounts import mail
from webapp.accounts.forms import ChangePasswordForm
from webapp.accounts.limits import once_more
from webapp.accounts.models import User
from webapp.accounts.proofs import prove_by_mail
from webapp.accounts.records import record_of_account
from webapp.accounts.resets import end_reset_links
from webapp.accounts.services import TeamError

_MAILS = 5
"""Links to prove an address that an account may ask for in an hour."""


class ProofTokens(PasswordResetTokenGenerator):
    """Tokens of links that prove an address: for one account, address and password, once."""

    key_salt = "webapp.accounts.account_views.ProofTokens"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{user.pk}{user.password}{timestamp}{user.email}{user.address_proven_at}"


proof_tokens = ProofTokens()


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """One's own account."""
    return render(request, "accounts/account.html", {"mail": mail.is_set_up()})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@login_required
@never_cache
def change_password(request: HttpRequest) -> HttpResponse:
    """Another password. All other sessions, tokens, and links that one has made end with the old one."""
    user: Any = request.user
    if not user.has_usable_password():
        raise Http404
    form = ChangePasswordForm(user, request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            end_reset_links(user)
            record_of_account(user, "account.password_changed", user)
        update_session_auth_hash(request, user)
        messages.success(
            request,
            _(
                "Your password was changed. You are signed out everywhere else, and your API tokens and unused links "
                "no longer work."
            ),
        )
        return redirect("account")
    return render(request, "accounts/password.html", {"form": form})


@require_POST
@login_required
def send_proof(request: HttpRequest) -> HttpResponse:
    """Send a link to one's own address, by which to prove it."""
    user: Any = request.user
    if not mail.is_set_up() or user.address_proven_at is not None:
        return redirect("account")
    link = request.build_absolute_uri(reverse("prove-address", args=[proof_tokens.make_token(user)]))
    try:
        once_more(f"proof:{user.pk}", _MAILS)
        mail.send(user.email, _("Verify your e-mail address"), "accounts/mail/proof.txt", link=link)
    except TeamError as error:
        messages.error(request, error.reason)
    else:
        messages.success(request, _("A link was sent to %(email)s.") % {"email": user.email})
    return redirect("account")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def prove_address(request: HttpRequest, proof_token: str) -> HttpResponse:
    """The mailed link: whoever has the account and opens it also reads the mail of its address."""
    user: User = request.user  # type: ignore[assignment]
    if not proof_tokens.check_token(user, proof_token):
        return render(request, "accounts/no_link.html", {"reason": TeamError("proof.unknown").reason}, status=410)
    if request.method != "POST":  # programs that look through mail open links, but send no forms
        return render(request, "accounts/prove.html")
    with transaction.atomic():
        prove_by_mail(user)
        record_of_account(user, "account.proven", user)
    messages.success(request, _("Your e-mail address is verified."))
    return redirect("account")

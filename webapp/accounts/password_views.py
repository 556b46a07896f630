"""Setting a new password without the old one: by a link in a mail, or by one that staff have made."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from webapp.accounts import mail
from webapp.accounts.limits import once_more
from webapp.accounts.makers import may_act
from webapp.accounts.proofs import prove_by_mail
from webapp.accounts.records import record_of_account
from webapp.accounts.resets import end_reset_links, open_reset_link, use_reset_link
from webapp.accounts.services import TeamError
from webapp.clients import client_address

_MAILS, _MAILS_TO_ONE = 20, 3
"""Mails that one address may ask for in an hour; and for one account, whoever asks."""
_DONE = _("Your new password is set. Sign in with it.")


class _ByMail:
    """There is no such page where the studio sends no mail."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not mail.is_set_up():
            raise Http404
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc, no-any-return]


class AskForReset(_ByMail, views.PasswordResetView):
    """Ask for a link by mail. The answer is the same whether there is such an account or not."""

    template_name = "accounts/reset.html"
    email_template_name = "accounts/mail/reset.txt"
    subject_template_name = "accounts/mail/reset_subject.txt"
    success_url = reverse_lazy("password-reset")

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        try:
            once_more(f"reset:{client_address(self.request)}", _MAILS)
            once_more(f"reset:{form.cleaned_data['email'].lower()}", _MAILS_TO_ONE)
        except TeamError as error:
            messages.error(self.request, error.reason)
            return self.render_to_response(self.get_context_data(form=form), status=429)
        text = _("If this address has an account, a link to set a new password was sent to it.")
        messages.success(self.request, text)
        return super().form_valid(form)


class SetByMail(_ByMail, views.PasswordResetConfirmView):
    """The mailed link."""

    template_name = "accounts/set_password.html"
    success_url = reverse_lazy("sign-in")

    def get_user(self, uidb64: str) -> Any:
        """Nobody for an account that was deactivated, or is the demo's, since the mail was sent."""
        user = super().get_user(uidb64)
        return user if user is not None and may_act(user) and user.has_usable_password() else None

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:  # type: ignore[type-arg]
        answer = super().form_valid(form)
        user: Any = form.user
        end_reset_links(user)
        prove_by_mail(user)
        record_of_account(user, "account.password_reset", user)
        messages.success(self.request, _DONE)
        return answer


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@never_cache
def set_by_link(request: HttpRequest, reset_token: str) -> HttpResponse:
    """The link that staff have made."""
    try:
        link = open_reset_link(reset_token)
        form = SetPasswordForm(link.user, request.POST or None)
        if request.method == "POST" and form.is_valid():
            use_reset_link(reset_token, form.cleaned_data["new_password1"])
            messages.success(request, _DONE)
            return redirect("sign-in")
    except TeamError as error:
        return render(request, "accounts/no_link.html", {"reason": error.reason}, status=410)
    response = render(request, "accounts/set_password.html", {"form": form, "validlink": True})
    response["Referrer-Policy"] = "same-origin"
    return response

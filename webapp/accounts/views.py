"""Signing in and out, and how somebody likes the pages to look."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import views
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from webapp.accounts import mail
from webapp.accounts.forms import SignInForm

THEMES = ("auto", "light", "dark")
_YEAR = 365 * 24 * 3600


class SignIn(views.LoginView):
    """The sign-in page, which says what to do about a forgotten password."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(mail=mail.is_set_up(), **more)


sign_in = SignIn.as_view()
sign_out = views.LogoutView.as_view()


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark, or as the device is set, and go back."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = "/"
    response = HttpResponseRedirect(back)
    if (wanted := request.POST.get("theme")) in THEMES:
        response.set_cookie("theme", wanted, max_age=_YEAR, samesite="Lax", httponly=True, secure=request.is_secure())
    return response

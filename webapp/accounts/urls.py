"""Addresses of sign-in, sign-out, and how pages look."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from webapp.accounts import views

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="jobs:list"), name="home"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("theme/", views.theme, name="theme"),
    path("i18n/", include("django.conf.urls.i18n")),
]

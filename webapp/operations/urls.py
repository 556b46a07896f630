"""Addresses of the pages for whoever runs the installation."""

from __future__ import annotations

from django.urls import path

from webapp.operations import account_views, views

app_name = "operations"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("accounts/", account_views.accounts, name="accounts"),
    path("accounts/<int:user_id>/vouch/", account_views.vouch_for, name="vouch"),
    path("accounts/<int:user_id>/unprove/", account_views.take_back, name="unprove"),
    path("accounts/<int:user_id>/reset-link/", account_views.reset_link, name="reset-link"),
    path("clean-up/", views.clean_up, name="clean-up"),
]

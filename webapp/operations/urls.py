"""Addresses of the pages for whoever runs the installation."""

from __future__ import annotations

from django.urls import path

from webapp.operations import views

app_name = "operations"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("clean-up/", views.clean_up, name="clean-up"),
]

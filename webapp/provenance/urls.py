"""Addresses under /verify/."""

from __future__ import annotations

from django.urls import path

from webapp.provenance import views

app_name = "provenance"
urlpatterns = [
    path("", views.verify, name="verify"),
    path("parts/", views.begin, name="begin"),
    path("parts/<str:token>/", views.part, name="part"),
]

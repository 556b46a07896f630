"""Addresses of what takes away, and of a person's copy of their data."""

from __future__ import annotations

from django.urls import path

from webapp.removal import views

app_name = "removal"
urlpatterns = [
    path("projects/<int:project_id>/delete/", views.project, name="delete-project"),
    path("runs/<int:run_id>/delete/", views.run, name="delete-run"),
    path("conversions/<int:conversion_id>/delete/", views.conversion, name="delete-conversion"),
    path("consent/withdraw/<str:own_token>/data.zip", views.my_data, name="my-data"),
]

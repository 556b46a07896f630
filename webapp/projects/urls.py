"""Addresses of projects and of the audit log."""

from __future__ import annotations

from django.urls import path

from webapp.projects import trail, views

urlpatterns = [
    path("", views.home, name="home"),
    path("projects/new/", views.new, name="new-project"),
    path("projects/<int:project_id>/", views.project, name="project"),
    path("projects/<int:project_id>/rename/", views.rename, name="rename-project"),
    path("teams/<int:team_id>/trail/", trail.trail, name="trail"),
    path("teams/<int:team_id>/trail/check/", trail.check_trail, name="check-trail"),
    path("teams/<int:team_id>/trail/export/", trail.export_trail, name="export-trail"),
]

"""Every address of the studio."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("webapp.accounts.urls")),
    path("jobs/", include("faceengine.jobs.urls")),
]

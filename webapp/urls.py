"""Every address of the studio."""

from __future__ import annotations

from django.urls import include, path

from faceengine.jobs.health import health
from faceengine.jobs.metrics import metrics

urlpatterns = [
    path("health", health),
    path("metrics", metrics),
    path("", include("webapp.accounts.urls")),
    path("", include("webapp.projects.urls")),
    path("", include("webapp.studio.urls")),
    path("", include("webapp.uploads.urls")),
    path("", include("webapp.consent.urls")),
    path("", include("webapp.removal.urls")),
    path("api/", include("webapp.api.urls")),
    path("operations/", include("webapp.operations.urls")),
    path("verify/", include("webapp.provenance.urls")),
    path("jobs/", include("faceengine.jobs.urls")),
    path("projects/<int:project_id>/<str:side>/faces/", include("webapp.curation.urls")),
]

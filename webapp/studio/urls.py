"""Addresses of what is made in a project: faces, runs, conversions, scores."""

from __future__ import annotations

from django.urls import path

from webapp.studio import conversion_views, run_views, score_views, views, weights_views

app_name = "studio"
urlpatterns = [
    path("weights/", weights_views.weights, name="weights"),
    path("weights/fetch/", weights_views.fetch, name="weights-fetch"),
    path("projects/<int:project_id>/runs/new/", run_views.new, name="new-run"),
    path("projects/<int:project_id>/<str:side>/extract/", views.extract, name="extract"),
    path("runs/<int:run_id>/", run_views.run, name="run"),
    path("runs/<int:run_id>/convert/", run_views.convert, name="convert"),
    path("runs/<int:run_id>/still/", run_views.still, name="still"),
    path("runs/<int:run_id>/longer/", run_views.longer, name="longer"),
    path("conversions/<int:conversion_id>/", conversion_views.conversion, name="conversion"),
    path("conversions/<int:conversion_id>/score.csv", score_views.table, name="score-table"),
    path("projects/<int:project_id>/scores/", score_views.room, name="scores"),
    path("projects/<int:project_id>/scores/report/", score_views.report, name="score-report"),
    path("conversions/<int:conversion_id>/score/", conversion_views.score, name="score"),
]

"""Addresses of the jobs' pages."""

from __future__ import annotations

from django.urls import path

from faceengine.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.overview, name="list"),
    path("ended/<str:state>/", views.ended, name="ended"),
    path("queued/<str:slot_kind>/", views.queued, name="queued"),
    path("<uuid:job_id>/", views.detail, name="detail"),
    path("<uuid:job_id>/files/<path:name>", views.file, name="file"),
    path("<uuid:job_id>/logs/<int:attempt>/", views.log, name="log"),
    path("<uuid:job_id>/logs/<int:attempt>/whole/", views.whole_log, name="whole-log"),
    path("<uuid:job_id>/<str:change>/", views.steer, name="steer"),
]

"""Addresses of the footage's rooms, of uploads and of assets' files."""

from __future__ import annotations

from django.urls import path

from webapp.uploads import tus, views

app_name = "uploads"
urlpatterns = [
    path("projects/<int:project_id>/<str:side>/footage/", views.room, name="room"),
    path("projects/<int:project_id>/<str:side>/footage/send/", views.send, name="send"),
    path("projects/<int:project_id>/<str:side>/uploads/", tus.create, name="create"),
    path("uploads/<uuid:upload_id>/", tus.upload, name="upload"),
    path("uploads/<uuid:upload_id>/give-up/", views.give_up, name="give-up"),
    path("assets/<int:asset_id>/delete/", views.delete, name="delete"),
    path("assets/<int:asset_id>/retry/", views.retry, name="retry"),
    path("assets/<int:asset_id>/<str:part>/", views.file, name="file"),
]

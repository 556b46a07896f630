"""Addresses of the WebSockets."""

from __future__ import annotations

from channels.routing import URLRouter
from django.urls import path, re_path

from faceengine.jobs.live.consumers import JobConsumer, NoSuchSocket

sockets = URLRouter(
    [
        path("ws/jobs/<uuid:job_id>/", JobConsumer.as_asgi()),
        re_path("", NoSuchSocket.as_asgi()),
    ]
)

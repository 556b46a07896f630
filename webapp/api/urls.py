"""Addresses of the API and of the pages about it."""

from __future__ import annotations

from django.urls import path

from webapp.api import views
from webapp.api.api import api

urlpatterns = [
    path("", views.index, name="api"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:token_id>/revoke/", views.revoke, name="revoke-token"),
    path("", api.urls),
]

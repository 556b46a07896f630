"""Addresses of the jobs' pages."""

from __future__ import annotations

app_name = "jobs"
urlpatterns: list[object] = []

"""Registers the kind of job that takes files in."""

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "webapp.uploads"

    def ready(self) -> None:
        from webapp.uploads import kinds, signals  # noqa: F401 - its receivers

        kinds.register_all()

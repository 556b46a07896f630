"""Registers the checks of the installation."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "webapp.operations"

    def ready(self) -> None:
        from webapp.operations import checks  # noqa: F401 - registers them

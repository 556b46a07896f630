"""The app's name and label, and what it checks at the start."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "faceengine.jobs"
    label = "jobs"

    def ready(self) -> None:
        from faceengine.jobs import checks  # noqa: F401

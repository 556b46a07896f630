"""Registers the kind of job that takes files in, and limits what teams may take of the installation."""

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "webapp.uploads"

    def ready(self) -> None:
        from faceengine.jobs import groups
        from webapp.uploads import job_groups, kinds, signals  # noqa: F401 - its receivers

        groups.know(job_groups.LimitedTeams())
        kinds.register_all()

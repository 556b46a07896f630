"""Registers the studio's kinds of jobs with the ledger."""

from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "webapp.studio"

    def ready(self) -> None:
        from webapp.studio import kinds

        kinds.register_all()

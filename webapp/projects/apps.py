"""The app's name; it puts the rules of the audit trail into the database."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class ProjectsConfig(AppConfig):
    name = "webapp.projects"

    def ready(self) -> None:
        from webapp.projects import checks, receivers, triggers  # noqa: F401 - the first two register themselves

        pre_migrate.connect(triggers.take_away, sender=self)
        post_migrate.connect(triggers.put_in_place, sender=self)

"""Puts the gate's triggers into the database."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class ConsentConfig(AppConfig):
    name = "webapp.consent"

    def ready(self) -> None:
        from webapp.consent import checks, triggers  # noqa: F401 - checks register themselves

        pre_migrate.connect(triggers.take_away, sender=self)
        post_migrate.connect(triggers.put_in_place, sender=self)

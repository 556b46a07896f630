"""Puts the gate's triggers into the database, and has slots finish what withdrawals take away."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class ConsentConfig(AppConfig):
    name = "webapp.consent"

    def ready(self) -> None:
        from faceengine.jobs import chores
        from webapp.consent import checks, evidence, receivers, tombstones, triggers  # noqa: F401

        chores.add(tombstones.sweep)
        chores.add(evidence.forget_refused)
        pre_migrate.connect(triggers.take_away, sender=self)
        post_migrate.connect(triggers.put_in_place, sender=self)

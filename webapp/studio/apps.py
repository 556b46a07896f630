"""Registers the studio's kinds of jobs with the ledger, and has slots compare faces with new recordings."""

from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "webapp.studio"

    def ready(self) -> None:
        from faceengine.jobs import chores
        from webapp.studio import face_sets, kinds

        kinds.register_all()
        chores.add(face_sets.compare_again)

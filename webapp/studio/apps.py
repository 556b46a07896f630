"""Registers the studio's kinds of jobs with the ledger, and has slots compare faces with new recordings."""

from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "webapp.studio"

    def ready(self) -> None:
        from faceengine.jobs import chores
        from webapp.studio import face_sets, kinds, project_pages  # noqa: F401 - the last one listens

        kinds.register_all()
        chores.add(face_sets.compare_again)

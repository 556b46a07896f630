"""Checks that somebody can sign."""

from django.apps import AppConfig


class ProvenanceConfig(AppConfig):
    name = "webapp.provenance"

    def ready(self) -> None:
        from webapp.provenance import checks  # noqa: F401 - registers itself

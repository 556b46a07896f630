"""The app's name."""

from django.apps import AppConfig


class CurationConfig(AppConfig):
    name = "webapp.curation"

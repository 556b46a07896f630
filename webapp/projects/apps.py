"""The app's name."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "webapp.projects"

"""The app's name and label."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "faceengine.jobs"
    label = "jobs"

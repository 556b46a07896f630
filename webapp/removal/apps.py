"""Has withdrawals of consent delete what was made of a person."""

from django.apps import AppConfig


class RemovalConfig(AppConfig):
    name = "webapp.removal"

    def ready(self) -> None:
        from webapp.removal import erasure  # noqa: F401 - it listens

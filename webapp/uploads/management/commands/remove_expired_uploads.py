"""``manage.py remove_expired_uploads``: what was broken off and never gone on with. For a daily timer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from webapp.uploads.services import remove_expired


class Command(BaseCommand):
    """Removes what has arrived of uploads that have expired; beginning an upload does the same."""

    help = "Delete expired partial uploads."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(f"{remove_expired()} removed")

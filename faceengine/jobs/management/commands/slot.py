"""``manage.py slot gpu0``: serve one slot in this process. ``worker`` and ``up`` start these."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from faceengine.jobs import slots
from faceengine.jobs.serve import serve


class Command(BaseCommand):
    """Serves one slot until SIGTERM or SIGINT."""

    help = "Serve one slot: run the jobs of its kind, one after the other. Usually started by `worker` or `up`."
    requires_system_checks: list[str] = []  # noqa: RUF012 - whoever starts slots has checked, and a restart must be quick

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="gpu0, gpu1 … or cpu, cpu1 …")

    def handle(self, *_: Any, name: str, **__: Any) -> None:
        try:
            with slots.serving(name) as slot:
                self.stderr.write(f"{slot} serves")
                serve(slot)
        except (ValueError, slots.SlotTakenError, Error) as error:
            raise CommandError(f"{name}: {error}") from error

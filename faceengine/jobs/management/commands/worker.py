"""``manage.py worker --slots gpu0,cpu``: serve slots of this machine, a process each."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from faceengine.jobs import machine, supervisor


class Command(BaseCommand):
    """Keeps the processes of this machine's slots running."""

    help = "Serve slots of this machine, a process each, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        machine.add_slots(parser)

    def handle(self, *_: Any, slots: list[str], **__: Any) -> None:
        machine.check_migrated()
        self.stderr.write(f"worker on {machine.name()}: {', '.join(slots)}")
        supervisor.keep_running(
            [machine.slot_child(slot) for slot in slots], grace=machine.stop_seconds(), say=self.stderr.write
        )

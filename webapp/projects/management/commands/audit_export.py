"""``manage.py audit_export TEAM``: a team's audit trail as JSON lines, its head last."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webapp.projects import audit


class Command(BaseCommand):
    """Writes to the standard output. Keep its last line where nobody who may change the database can change it."""

    help = "Write a team's audit log as JSON lines. The last line is the head of the hash chain."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("team", type=int)

    def handle(self, *_: Any, **options: Any) -> None:
        for line in audit.export(options["team"]):
            self.stdout.write(line, ending="")

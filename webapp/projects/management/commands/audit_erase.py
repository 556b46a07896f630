"""``manage.py audit_erase ADDRESS``: takes an e-mail address out of the audit trail, whose chains still hold."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webapp.projects import audit


class Command(BaseCommand):
    """For somebody who was invited or a member once, and asks to be forgotten."""

    help = "Erase the data of all audit log entries that contain an e-mail address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")

    def handle(self, *_: Any, **options: Any) -> None:
        self.stdout.write(f"Entries erased: {audit.erase_address(options['address'])}")

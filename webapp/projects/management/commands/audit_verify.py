"""``manage.py audit_verify``: whether the audit trail is what was written. For a daily timer."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.projects import audit


class Command(BaseCommand):
    """Ends with 1, and says the first thing that is wrong of each team, if anything is."""

    help = "Verify the hash chains of the audit logs, and that they agree with earlier exports."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", type=int, help="verify only this team")
        parser.add_argument(
            "--head", action="append", default=[], metavar="TEAM:NUMBER:HASH", help="a chain head recorded elsewhere"
        )
        parser.add_argument("--export", action="append", default=[], type=Path, help="a file written by audit_export")

    def handle(self, *_: Any, **options: Any) -> None:
        known = defaultdict(list)
        for team, number, noted in [*map(_head, options["head"]), *map(_head_of, options["export"])]:
            known[team].append((number, noted))
        chosen = {*audit.teams(), *known} if options["team"] is None else {options["team"]}
        broken = 0
        for team in sorted(chosen):
            found = audit.check(team, known[team])
            broken += bool(found)
            if found:
                self.stderr.write(str(found[0]))
            for number in audit.clock_went_back(team)[:1]:
                self.stderr.write(f"team {team}, entry {number}: the clock was set back (this is no sign of a change)")
        if broken:
            sys.exit(1)
        self.stdout.write(f"{len(chosen)} chains are unchanged")


def _head(text: str) -> tuple[int, int, str]:
    try:
        team, number, noted = text.split(":")
        return int(team), int(number), noted
    except ValueError as error:
        raise CommandError(f"not TEAM:NUMBER:HASH: {text[:100]!r}") from error


def _head_of(path: Path) -> tuple[int, int, str]:
    try:
        head = json.loads(path.read_text("utf-8").splitlines()[-1])["head"]
        return int(head["team"]), int(head["number"]), str(head["hash"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CommandError(f"{path} is not a complete export: the last line must be the head") from error

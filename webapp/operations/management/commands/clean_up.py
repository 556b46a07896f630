"""``manage.py clean_up [--really]``: what no row names any more, and what is past its time. For a weekly timer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.template.defaultfilters import filesizeformat

from webapp.operations import cleaning
from webapp.operations.words import WHY


class Command(BaseCommand):
    """Says what would go; with ``--really`` it goes."""

    help = "List what can be deleted: expired uploads, unreferenced files, files of crashed processes, old logs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--really", action="store_true", help="delete them")

    def handle(self, *_: Any, really: bool, **__: Any) -> None:
        if really:
            gone = cleaning.clean_up()
            self.stdout.write(f"{gone.files} files deleted, {filesizeformat(gone.size)}")
            return
        for why, files in cleaning.preview().items():
            self.stdout.write(f"{WHY[why]}: {len(files)}, {filesizeformat(sum(file.size for file in files))}")
            for file in files:
                self.stdout.write(f"  {file.root}: {file.name} ({filesizeformat(file.size)})")

"""``manage.py submit KIND CONFIG.json``: queue a job from a script."""

from __future__ import annotations

import json
import sys
from argparse import FileType
from typing import IO, Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from faceengine.errors import ConfigError
from faceengine.jobs import transitions
from faceengine.jobs.kinds import UnknownKindError


class Command(BaseCommand):
    """Queues one job and prints its id."""

    help = "Queue a job; prints its id. Paths in the config are names in the studio's storage."
    requires_system_checks: list[str] = []  # noqa: RUF012

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", help="extract, train, convert or score")
        parser.add_argument("config", type=FileType(), default=sys.stdin, nargs="?", help="JSON file (standard input)")
        parser.add_argument("--title", default="")
        parser.add_argument("--priority", type=int, default=0, help="higher goes first (%(default)s)")
        parser.add_argument("--owner", help="e-mail address of the person whose job it is")

    def handle(self, *_: Any, kind: str, config: IO[str], title: str, priority: int, **options: Any) -> None:
        try:
            job = transitions.submit(
                kind, json.load(config), owner=_owner(options["owner"]), title=title, priority=priority
            )
        except UnknownKindError:
            raise CommandError(f"there is no kind of job called {kind!r}") from None
        except (ConfigError, json.JSONDecodeError) as error:
            raise CommandError(f"the config can't be used: {error}") from error
        self.stdout.write(str(job.pk))


def _owner(email: str | None) -> Any:
    if email is None:
        return None
    users = get_user_model()
    try:
        return users.objects.get_by_natural_key(email)
    except users.DoesNotExist:
        raise CommandError(f"nobody here has the address {email}") from None

"""``manage.py submit KIND CONFIG.json``: queue a job from a script."""

from __future__ import annotations

import json
import sys
from argparse import FileType
from typing import IO, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from faceengine.errors import ConfigError
from faceengine.jobs import transitions
from faceengine.jobs.kinds import UnknownKindError
from faceengine.jobs.permits import Refused


class Command(BaseCommand):
    """Queues one job and prints its id."""

    help = "Queue a job; prints its id. Paths in the config are names in the studio's storage."
    requires_system_checks: list[str] = []  # noqa: RUF012

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", help="extract, train, convert or score")
        parser.add_argument("config", type=FileType(), default=sys.stdin, nargs="?", help="JSON file (standard input)")
        parser.add_argument("--title", default="")
        parser.add_argument("--priority", type=int, default=0, help="higher goes first (%(default)s)")
        parser.add_argument("--owner", help="e-mail address of the job's owner")

        parser.add_argument("--mandate", type=UUID, help="id of the consent grant under which the job runs")

    def handle(self, *_: Any, kind: str, config: IO[str], **options: Any) -> None:
        own = {name: options[name] for name in ("title", "priority", "mandate")}
        try:
            job = transitions.submit(kind, json.load(config), owner=_owner(options["owner"]), **own)
        except UnknownKindError:
            raise CommandError(f"there is no kind of job called {kind!r}") from None
        except Refused as refusal:
            raise CommandError(f"{refusal.code}: {refusal.text}") from refusal
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

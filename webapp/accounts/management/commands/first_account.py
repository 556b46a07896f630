"""``manage.py first_account``: somebody who can sign in to a new installation."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webapp.accounts.models import User


class Command(BaseCommand):
    """Makes an account that runs this installation, unless there is any account already."""

    help = "Create the first account and print its password once. Does nothing if there is an account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", default="admin@localhost", help="its e-mail address (default: %(default)s)")

    def handle(self, *_: Any, email: str, **__: Any) -> None:
        if User.objects.exists():
            return
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser(email, password)
        self.stdout.write(f"Sign in as {email} with the password {password} (shown only once)")

"""``manage.py reset_link``: a link for somebody who has forgotten their password."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from webapp.accounts.models import User
from webapp.accounts.resets import HOURS, make_reset_link
from webapp.accounts.services import TeamError


class Command(BaseCommand):
    """Prints the path of a link by which to set a new password, once."""

    help = "Create a link to set a new password. It is printed once and works once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the account's address")

    def handle(self, *_: Any, email: str, **__: Any) -> None:
        user = User.objects.filter(email__iexact=email.strip()).first()
        if user is None:
            raise CommandError(f"There is no account {email}.")
        try:
            token = make_reset_link(user, None)
        except TeamError as error:
            raise CommandError(error.reason) from error
        path = reverse("set-password", args=[token])
        self.stdout.write(f"{path}\nPut the studio's address in front. The link works once, within {HOURS} hours.")

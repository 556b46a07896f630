"""``manage.py vouch``: say that a person of the installation's own is behind an account."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from webapp.accounts.models import User
from webapp.accounts.proofs import unprove, vouch
from webapp.accounts.records import record_of_account
from webapp.accounts.services import TeamError


class Command(BaseCommand):
    """Marks an account's address as proven by whoever runs the installation, or as not proven."""

    help = "Confirm that you know the person behind an account, so that they can review consents."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the account's address")
        parser.add_argument("--take-back", action="store_true", help="revoke the account's verification")

    @transaction.atomic
    def handle(self, *_: Any, email: str, take_back: bool, **__: Any) -> None:
        user = User.objects.filter(email__iexact=email.strip()).first()
        if user is None:
            raise CommandError(f"There is no account {email}.")
        try:
            if take_back:
                unprove(user)
            else:
                vouch(user, None)
        except TeamError as error:
            raise CommandError(error.reason) from error
        record_of_account(None, "account.unproven" if take_back else "account.vouched", user)
        self.stdout.write(f"{user.email} is {'no longer' if take_back else 'now'} verified")

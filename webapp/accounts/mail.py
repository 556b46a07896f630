"""Mail from the studio. Without ``EMAIL_HOST`` there is none, and links are shown to whoever asked for them."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from webapp.accounts.services import TeamError

log = logging.getLogger(__name__)


def is_set_up() -> bool:
    """Whether the studio can send mail."""
    return bool(settings.EMAIL_HOST)


def send(address: str, subject: str, template: str, **context: Any) -> None:
    """Send the text of ``template`` to one address. Raises :class:`TeamError` ``mail.failed``."""
    try:
        send_mail(subject, render_to_string(template, context), None, [address])
    except (SMTPException, OSError) as error:
        log.warning("mail could not be sent: %s", error)
        raise TeamError("mail.failed") from error

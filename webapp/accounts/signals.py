"""Tells open sockets that a person has signed out, or may see less (or more) than before."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from faceengine.jobs.live import presence
from webapp.accounts.models import Membership, User


@receiver(user_logged_out)
def end_sockets(request: HttpRequest, **_: Any) -> None:
    """The session's sockets end with it."""
    if request.session.session_key:
        presence.signed_out(request.session.session_key)


@receiver(post_save, sender=User)
def recheck_user(instance: User, created: bool, **_: Any) -> None:
    """Somebody was deactivated, got another password, or now runs this installation."""
    if not created:
        presence.recheck(instance.pk)


@receiver([post_save, post_delete], sender=Membership)
def recheck_member(instance: Membership, **_: Any) -> None:
    """Somebody joined, left, or has another role."""
    presence.recheck(instance.user_id)

"""When somebody leaves, or may do less than before: open sockets hear of it, and their invitations are cleared away."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from faceengine.jobs.live import presence
from webapp.accounts.models import Invitation, Membership, ResetLink, Role, User


@receiver(user_logged_out)
def end_sockets(request: HttpRequest, **_: Any) -> None:
    """The session's sockets end with it."""
    if request.session.session_key:
        presence.signed_out(request.session.session_key)


@receiver(post_save, sender=User)
def recheck_user(instance: User, created: bool, **_: Any) -> None:
    """Somebody was deactivated, got another password, or now runs this installation."""
    if created:
        return
    presence.recheck(instance.pk)
    if not instance.is_active:
        Invitation.objects.filter(invited_by=instance, accepted_at=None).delete()
        ResetLink.objects.filter(made_by=instance, used_at=None).delete()


@receiver([post_save, post_delete], sender=Membership)
def recheck_member(instance: Membership, **_: Any) -> None:
    """Somebody joined, left, or has another role."""
    presence.recheck(instance.user_id)


@receiver(post_save, sender=Membership)
def end_invitations_of_role(instance: Membership, **_: Any) -> None:
    """Links that somebody can't make any more stay dead if they are an owner again later."""
    if instance.role != Role.OWNER:
        _end_invitations(instance)


@receiver(post_delete, sender=Membership)
def end_invitations_of_member(instance: Membership, **_: Any) -> None:
    """As :func:`end_invitations_of_role`, for somebody who has left."""
    _end_invitations(instance)


def _end_invitations(membership: Membership) -> None:
    Invitation.objects.filter(team=membership.team_id, invited_by=membership.user_id, accepted_at=None).delete()

"""Links that a member made, or passed on, end when they may not do that any more; also for when they come back."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from webapp.accounts.models import Membership, User
from webapp.consent.models import Consent, ConsentLink
from webapp.projects.access import Verb, reaches


@receiver(post_save, sender=Membership)
def role_changed(instance: Membership, **_: Any) -> None:
    """Somebody has another role."""
    if not reaches(instance.role, Verb.EDIT):
        _end(instance.user_id, person__project__team=instance.team_id)


@receiver(post_delete, sender=Membership)
def member_left(instance: Membership, **_: Any) -> None:
    """Somebody is not in the team any more."""
    _end(instance.user_id, person__project__team=instance.team_id)


@receiver(post_save, sender=User)
def deactivated(instance: User, created: bool, **_: Any) -> None:
    """Somebody may not do anything any more."""
    if not created and not instance.is_active:
        _end(instance.pk)


def _end(user: int, **of: Any) -> None:
    consents = Consent.objects.filter(**of)
    made = ConsentLink.objects.filter(made_by=user, used_at=None, consent__in=consents.values("pk"))
    made.update(expires_at=Now())
    consents.filter(passed_on_by=user).update(withdraw_hash="", recovery_hash="")

"""Whether two accounts are two people: four eyes are worth nothing if one person has made both accounts.

An account leads back to whoever invited it, and to whoever invited them, up to an account that staff have vouched for:
staff know that a person of their own is behind it. Two accounts are independent if these lines never meet.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from webapp.accounts.models import Introduction, Proof, User
from webapp.accounts.words import REVIEW


@dataclass(frozen=True)
class Refusal:
    """Why somebody does not count as a second pair of eyes. ``code`` is stable: a key of :data:`words.REVIEW`."""

    code: str

    @property
    def reason(self) -> str:
        """Why, in a sentence, and what to do."""
        return str(REVIEW[self.code])


def independent(reviewer: User, asker: User) -> Refusal | None:
    """Return why ``reviewer`` can't review what ``asker`` asked for, or ``None`` if they count as two people.

    The codes, in the order in which they are looked for: ``review.own``, ``review.unproven``,
    ``review.invited_by_asker``, ``review.invited_asker``, ``review.same_inviter``. Roles in a team are not looked at.
    """
    if reviewer.pk == asker.pk:
        return Refusal("review.own")
    if not is_proven(reviewer):
        return Refusal("review.unproven")
    pair = {reviewer.pk, asker.pk}
    behind_reviewer, behind_asker = _line(reviewer.pk, pair), _line(asker.pk, pair)
    if asker.pk in behind_reviewer:
        return Refusal("review.invited_by_asker")
    if reviewer.pk in behind_asker:
        return Refusal("review.invited_asker")
    return Refusal("review.same_inviter") if behind_reviewer & behind_asker else None


def is_proven(user: User) -> bool:
    """Whether the account is surely its address's; staff are, since they run the installation."""
    return user.is_staff or user.address_proven_at is not None


def _line(account: int, pair: Collection[int]) -> set[int]:
    """The account's key and those of all that it leads back to.

    What one of ``pair`` has vouched for is no end of the line, but leads back to them: else staff could vouch for a
    second account of their own. Two queries a generation.
    """
    found, newest = {account}, {account}
    while newest:
        by_others = Q(vouched_by=None) | ~Q(vouched_by__in=pair)
        vouched = Q(is_staff=True) | Q(by_others, proven_by=Proof.STAFF)
        ends = set(User.objects.filter(vouched, pk__in=newest).values_list("pk", flat=True))
        open_ = newest - ends
        before = set(Introduction.objects.filter(invitee__in=open_).values_list("inviter", flat=True))
        before |= set(User.objects.filter(pk__in=open_, vouched_by__in=pair).values_list("vouched_by", flat=True))
        newest = before - found
        found |= newest
    return found

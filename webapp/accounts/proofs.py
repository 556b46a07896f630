"""Proving that an address belongs to whoever has the account: by mail, or by staff who know the person."""

from __future__ import annotations

from django.db.models.functions import Now

from webapp.accounts.models import Introduction, Proof, Team, User


def prove_by_mail(user: User) -> None:
    """The person has opened a link that the studio sent to the account's address, and showed to nobody else."""
    if user.address_proven_at is None:
        _prove(user, Proof.MAIL, None)


def vouch(user: User, by: User | None) -> None:
    """Staff say that a person of their own is behind the account; ``by`` is ``None`` for ``manage.py vouch``."""
    _prove(user, Proof.STAFF, by)


def unprove(user: User) -> None:
    """Forget the proof: the address has changed, or staff were wrong."""
    User.objects.filter(pk=user.pk).update(address_proven_at=None, proven_by="", vouched_by=None)
    user.refresh_from_db(fields=["address_proven_at", "proven_by", "vouched_by"])


def remember_inviter(invitee: User, inviter: User | None, team: Team) -> None:
    """Note for good who brought ``invitee`` into the studio."""
    if inviter is not None and inviter.pk != invitee.pk:
        Introduction.objects.get_or_create(inviter=inviter, invitee=invitee, defaults={"team_number": team.pk})


def _prove(user: User, proof: Proof, by: User | None) -> None:
    User.objects.filter(pk=user.pk).update(address_proven_at=Now(), proven_by=proof, vouched_by=by)
    user.refresh_from_db(fields=["address_proven_at", "proven_by", "vouched_by"])

"""Words for the codes of accounts, teams and links."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REVIEW: dict[str, Promise] = {
    "review.own": _("You asked for this yourself, so another member must review it."),
    "review.unproven": _(
        "Your e-mail address is not verified yet. Verify it on your account page, or ask this studio's staff "
        "to vouch for you."
    ),
    "review.invited_by_asker": _(
        "Your account traces back to an invitation or confirmation by the member who asked, so the two "
        "accounts are not independent. Another member must review this, or other staff of this studio must "
        "vouch for you."
    ),
    "review.invited_asker": _(
        "The account of the member who asked traces back to an invitation or confirmation by you, so the two "
        "accounts are not independent. Another member must review this, or other staff of this studio must "
        "vouch for that member."
    ),
    "review.same_inviter": _(
        "Your account and the account of the member who asked trace back to the same invitation, so they are "
        "not independent. Another member must review this, or this studio's staff must vouch for one of you."
    ),
}
"""By code: why somebody is no second pair of eyes."""

TEAM: dict[str, Promise] = {
    "invitation.unknown": _(
        "This invitation does not exist. Check that you copied the link completely, or ask the team for a new one."
    ),
    "invitation.used": _("This invitation was already accepted."),
    "invitation.expired": _("This invitation has expired. Ask the team for a new one."),
    "invitation.ended": _(
        "This invitation no longer works because the member who sent it can no longer invite people. Ask the "
        "team for a new one."
    ),
    "invitation.other_address": _(
        "This invitation is for another e-mail address. Sign out, then open it again with the account that was invited."
    ),
    "invitation.demo": _("The demo account can't be invited."),
    "team.last_owner": _("A team needs an owner. Make another member an owner first."),
    "reset.unknown": _("This link does not exist. Ask this studio's staff for a new one."),
    "reset.used": _("This link was already used. Ask this studio's staff for a new one."),
    "reset.expired": _("This link has expired. Ask this studio's staff for a new one."),
    "reset.ended": _(
        "This link no longer works because the account that created it has lost that permission. Ask this "
        "studio's staff for a new one."
    ),
    "reset.demo": _("The demo account's password can't be changed."),
    "reset.superuser": _("Only an administrator can create a link for an administrator's account."),
    "proof.self": _("You can't vouch for yourself. Ask other staff, or use `manage.py vouch`."),
    "proof.demo": _("The demo account's password is public, so nobody can vouch for this account."),
    "proof.unknown": _("This link has expired or is for another account. Request a new one."),
    "mail.failed": _("The e-mail could not be sent, so nothing was changed. Try again later."),
    "mail.often": _("Too many attempts. Try again in an hour."),
}
"""By code: why something about accounts, teams and their links can't be done."""

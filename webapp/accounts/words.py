"""Words for the codes of accounts, teams and links."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REVIEW: dict[str, Promise] = {
    "review.own": _("You asked for this yourself. A second person must review it."),
    "review.unproven": _(
        "Your e-mail address is not proven yet. Prove it on your account page, or ask the staff of this studio "
        "to vouch for you."
    ),
    "review.invited_by_asker": _(
        "Your account goes back to an invitation or a confirmation by the member who asked, so it does not count as a "
        "second person. Somebody else must review this, or other staff of this studio must vouch for you."
    ),
    "review.invited_asker": _(
        "The account of the member who asked goes back to an invitation or a confirmation by you, so you do not count "
        "as a second person. Somebody else must review this, or other staff of this studio must vouch for that member."
    ),
    "review.same_inviter": _(
        "Your account and that of the member who asked go back to the same invitation, so they do not count as two "
        "people. Somebody else must review this, or staff of this studio must vouch for one of you."
    ),
}
"""By code: why somebody is no second pair of eyes."""

TEAM: dict[str, Promise] = {
    "invitation.unknown": _("There is no such invitation."),
    "invitation.used": _("This invitation was accepted already."),
    "invitation.expired": _("This invitation has expired. Ask for another one."),
    "invitation.ended": _("This invitation has ended: whoever made it may not invite any more. Ask for another one."),
    "invitation.other_address": _(
        "This invitation is for another e-mail address than that of your account. Sign out, and open it again with "
        "the account that was invited."
    ),
    "invitation.demo": _("The demo's account can't be invited."),
    "team.last_owner": _("A team needs an owner: make somebody else one first."),
    "reset.unknown": _("There is no such link. Ask the staff of this studio for another one."),
    "reset.used": _("This link was used already."),
    "reset.expired": _("This link has expired. Ask the staff of this studio for another one."),
    "reset.ended": _("This link has ended with the account that made it. Ask the staff of this studio for another."),
    "reset.demo": _("The demo's account has no password that can be changed."),
    "reset.superuser": _("Only an administrator can make a link for an administrator's account."),
    "proof.self": _("You can't vouch for yourself. Ask other staff, or use `manage.py vouch`."),
    "proof.demo": _("Everybody knows the password of the demo's account, so nobody can vouch for it."),
    "proof.unknown": _("This link does not work any more, or is for another account. Ask for a new one."),
    "mail.failed": _("The mail could not be sent, so nothing was changed. Try again later."),
    "mail.often": _("That was too often. Try again in an hour."),
}
"""By code: why something about accounts, teams and their links can't be done."""

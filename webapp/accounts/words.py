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

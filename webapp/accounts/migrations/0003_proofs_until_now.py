"""Staff are proven, and accepted invitations tell who brought whom into the studio until now."""

from datetime import timedelta
from typing import Any

from django.db import migrations
from django.db.models import Q
from django.db.models.functions import Now

_SAME_MOMENT = timedelta(minutes=1)
"""A membership is made in the transaction that accepts the invitation."""


def prove_staff(apps: Any, _schema: Any) -> None:
    """Staff run the installation: nobody needs to vouch for them."""
    apps.get_model("accounts", "User").objects.filter(is_staff=True).update(address_proven_at=Now(), proven_by="staff")


def introduce(apps: Any, _schema: Any) -> None:
    """Read from accepted invitations who accepted: whoever joined the team then, or has the invited address."""
    model = apps.get_model
    accepted = model("accounts", "Invitation").objects.exclude(accepted_at=None).exclude(invited_by=None)
    for invitation in accepted.order_by("accepted_at").iterator():
        at = invitation.accepted_at
        then = model("accounts", "Membership").objects.filter(
            team=invitation.team_id, joined_at__range=(at - _SAME_MOMENT, at + _SAME_MOMENT)
        )
        found = Q(pk__in=then.values("user")) | Q(email__iexact=invitation.email)
        for invitee in model("accounts", "User").objects.filter(found).exclude(pk=invitation.invited_by_id):
            model("accounts", "Introduction").objects.get_or_create(
                inviter_id=invitation.invited_by_id,
                invitee_id=invitee.pk,
                defaults={"team_number": invitation.team_id},
            )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_proven_accounts")]

    operations = [
        migrations.RunPython(prove_staff, migrations.RunPython.noop),
        migrations.RunPython(introduce, migrations.RunPython.noop),
    ]

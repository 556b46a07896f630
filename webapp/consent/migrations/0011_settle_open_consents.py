"""A person has one consent that is open. Of several the newest stays."""

from typing import Any

from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now

_OPEN = Q(accepted=None, withdrawn_at=None)


def settle(apps: Any, _schema: Any) -> None:
    consents = apps.get_model("consent", "Consent").objects
    several = consents.filter(_OPEN, person__isnull=False).values("person").annotate(n=models.Count("pk"))
    for person in list(several.filter(n__gt=1).values_list("person", flat=True)):
        # One that was given counts for more than a question that came after it.
        one_by_one = consents.filter(_OPEN, person=person).order_by(
            models.F("given_at").desc(nulls_last=True), "-asked_at"
        )
        for other in one_by_one[1:]:
            if other.given_at is not None:
                why = "Another consent of the same person was open."
                consents.filter(pk=other.pk).update(accepted=False, reviewed_at=Now(), refused_why=why)
            elif other.evidence.exists():
                consents.filter(pk=other.pk).update(withdrawn_at=Now(), name="", email="")
            else:
                other.delete()


class Migration(migrations.Migration):
    dependencies = [("consent", "0010_statement_and_fingerprint")]

    operations = [migrations.RunPython(settle, migrations.RunPython.noop)]

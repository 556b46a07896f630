"""A person has one consent that is open: asked for, or given and not decided on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consent", "0011_settle_open_consents")]

    operations = [
        migrations.AddConstraint(
            "consent",
            models.UniqueConstraint(
                condition=models.Q(("accepted", None), ("withdrawn_at", None)),
                fields=("person",),
                name="one_open_consent_a_person",
            ),
        ),
    ]

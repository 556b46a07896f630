"""Apart from the chaining: Postgres makes no index of rows that the same transaction has changed."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("projects", "0002_chain")]

    operations = [
        migrations.AddConstraint(
            "auditentry", models.UniqueConstraint(fields=("team", "number"), name="one_entry_of_a_number")
        ),
    ]

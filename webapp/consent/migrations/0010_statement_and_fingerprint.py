"""The statement that a person agreed to is kept in full; recordings are known again by more than their bytes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consent", "0009_keys_beside_database")]

    operations = [
        migrations.AddField("consent", "statement_text", models.BinaryField(default=b"")),
        migrations.AddField("evidence", "fingerprint", models.JSONField(default=dict)),
    ]

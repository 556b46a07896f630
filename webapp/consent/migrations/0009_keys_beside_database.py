"""People's keys move out of the database into ``CONSENT_KEYS_DIR``, wrapped as they are."""

from typing import Any

from django.db import migrations, models

from webapp.consent import keys


def move(apps: Any, _schema: Any) -> None:
    for row in apps.get_model("consent", "PersonKey").objects.all():
        if row.wrapped:
            row.file = keys.write(bytes(row.wrapped))
            row.wrapped = b""
            row.save(update_fields=["file", "wrapped"])


def move_back(apps: Any, _schema: Any) -> None:
    for row in apps.get_model("consent", "PersonKey").objects.exclude(file=""):
        row.wrapped = keys.read(row.file)
        row.save(update_fields=["wrapped"])


class Migration(migrations.Migration):
    dependencies = [("consent", "0008_links_end_with_their_maker")]

    operations = [
        migrations.AddField("personkey", "file", models.CharField(blank=True, db_index=True, default="", max_length=40)),
        migrations.AlterField("personkey", "wrapped", models.BinaryField(default=b"")),
        migrations.RunPython(move, move_back),
        migrations.RemoveField("personkey", "wrapped"),
        migrations.AlterField("personkey", "file", models.CharField(blank=True, db_index=True, max_length=40)),
    ]

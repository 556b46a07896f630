"""Tokens get an end, a scope and the stamp of their person's password. Those that are there may write, for 90 days."""

from datetime import timedelta
from typing import Any

from django.db import migrations, models
from django.utils import timezone

from webapp.accounts.makers import stamp

_DAYS = 90


def stamp_all(apps: Any, _schema: Any) -> None:
    """Give each the stamp of today's password."""
    for token in apps.get_model("api", "ApiToken").objects.select_related("user").iterator():
        token.made_with = stamp(token.user.password)
        token.save(update_fields=["made_with"])


class Migration(migrations.Migration):
    dependencies = [("api", "0001_initial"), ("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            "apitoken",
            "scope",
            models.CharField(
                choices=[
                    ("read", "read: see and download"),
                    ("review", "review: also judge faces"),
                    ("write", "write: also upload, train, convert and delete"),
                ],
                default="write",
                max_length=6,
                verbose_name="scope",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "apitoken", "made_with", models.CharField(default="", max_length=64), preserve_default=False
        ),
        migrations.AddField(
            "apitoken",
            "expires_at",
            models.DateTimeField(default=timezone.now() + timedelta(days=_DAYS), verbose_name="end"),
            preserve_default=False,
        ),
        migrations.RunPython(stamp_all, migrations.RunPython.noop),
    ]

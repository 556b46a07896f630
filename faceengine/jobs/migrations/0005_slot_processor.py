"""Slots say whether they compute on a GPU; those that are alive say so when they are started again."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("jobs", "0004_attempt_log_removed_at")]

    operations: ClassVar = [
        migrations.AddField("slot", "processor", models.CharField(blank=True, default="", max_length=10)),
    ]

"""Texts from before paths of machines were kept out of the job store."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from faceengine.jobs.paths import hide_all, hide_paths


def hide(apps: Any, _schema_editor: Any) -> None:
    jobs, events = apps.get_model("jobs", "Job"), apps.get_model("jobs", "JobEvent")
    for key, text in jobs.objects.filter(error_text__contains="/").values_list("pk", "error_text").iterator():
        if (shown := hide_paths(text)) != text:
            jobs.objects.filter(pk=key).update(error_text=shown)
    for key, data in events.objects.filter(kind__in=("state", "message")).values_list("pk", "data").iterator():
        if (shown := hide_all(data)) != data:
            events.objects.filter(pk=key).update(data=shown)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0006_job_stored")]

    operations = [migrations.RunPython(hide, migrations.RunPython.noop)]

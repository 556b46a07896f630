"""The audit trail becomes a chain of hashes; what was written before is chained as it is."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_FROM_NOW = {"default": ""}


def chain(apps, schema_editor):
    """Chain what is there, team by team, in the order in which it was written."""
    from webapp.projects import audit

    Entry, Head = apps.get_model("projects", "AuditEntry"), apps.get_model("projects", "AuditHead")
    for team in Entry.objects.order_by().values_list("team_id", flat=True).distinct():
        number, previous = 0, audit.START
        for entry in Entry.objects.filter(team_id=team).order_by("id").iterator(chunk_size=1000):
            number += 1
            entry.number = number
            audit.seal(entry, previous)
            entry.save()
            previous = entry.hash
        Head.objects.create(team_number=team, number=number, hash=previous)


class Migration(migrations.Migration):
    atomic = True

    dependencies = [
        ("projects", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("team_number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
                ("hash", models.CharField(blank=True, max_length=64)),
                ("checked_at", models.DateTimeField(null=True)),
                ("checked_number", models.BigIntegerField(default=0)),
                ("broken", models.CharField(blank=True, max_length=40)),
                ("broken_number", models.BigIntegerField(null=True)),
            ],
        ),
        migrations.AlterField(
            "auditentry",
            "team",
            models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="audit",
                to="accounts.team",
            ),
        ),
        migrations.AlterField(
            "auditentry",
            "project",
            models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="audit",
                to="projects.project",
            ),
        ),
        migrations.AlterField(
            "auditentry",
            "actor",
            models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField("auditentry", "at", models.DateTimeField()),
        migrations.AddField("auditentry", "number", models.BigIntegerField(default=0), preserve_default=False),
        migrations.AddField("auditentry", "salt", models.CharField(blank=True, max_length=32, default=""), preserve_default=False),
        migrations.AddField("auditentry", "commitment", models.CharField(max_length=64, **_FROM_NOW), preserve_default=False),
        migrations.AddField("auditentry", "previous", models.CharField(max_length=64, **_FROM_NOW), preserve_default=False),
        migrations.AddField("auditentry", "hash", models.CharField(max_length=64, **_FROM_NOW), preserve_default=False),
        migrations.RunPython(chain, migrations.RunPython.noop),
    ]

"""Invitations get the stamp of their maker's password; links by which staff let somebody set a new one."""

from typing import Any

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from webapp.accounts.makers import stamp


def stamp_all(apps: Any, _schema: Any) -> None:
    """Let invitations that are open end with the password that their maker has today."""
    model = apps.get_model("accounts", "Invitation")
    for invitation in model.objects.filter(accepted_at=None).exclude(invited_by=None).select_related("invited_by"):
        invitation.made_with = stamp(invitation.invited_by.password)
        invitation.save(update_fields=["made_with"])


class Migration(migrations.Migration):
    dependencies = [
        ('accounts', '0003_proofs_until_now'),
    ]

    operations = [
        migrations.AddField(
            model_name='invitation',
            name='made_with',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='invitation',
            name='mailed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='ResetLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token_hash', models.CharField(max_length=64, unique=True)),
                ('made_with', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reset_links', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.RunPython(stamp_all, migrations.RunPython.noop),
    ]

"""Links of consent know who made them, or passed them on, and end with them."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Now

from webapp.accounts.makers import stamp


def stamp_all(apps: Any, _schema: Any) -> None:
    """Let links that are open end with the password that their maker has today."""
    model = apps.get_model("consent", "ConsentLink")
    open_ = model.objects.filter(used_at=None, expires_at__gt=Now()).exclude(made_by=None)
    for link in open_.select_related("made_by").iterator():
        link.made_with = stamp(link.made_by.password)
        link.save(update_fields=["made_with"])


def passed_on(apps: Any, _schema: Any) -> None:
    """Where nobody answered by a link, a member handed in, who was shown the person's own link: whoever asked last."""
    given = apps.get_model("consent", "Consent").objects.exclude(given_at=None).exclude(withdraw_hash="")
    by_link = apps.get_model("consent", "ConsentLink").objects.exclude(used_at=None).values("consent")
    given.exclude(pk__in=by_link).update(passed_on_by=F("asked_by"))


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0007_kept_hash"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("consent", "recovery_hash", models.CharField(blank=True, db_index=True, max_length=64)),
        migrations.AddField(
            "consent",
            "passed_on_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            "consentlink",
            "kind",
            models.CharField(
                choices=[("agree", "to agree"), ("own", "to get the link of one's own")], default="agree", max_length=5
            ),
        ),
        migrations.AddField("consentlink", "made_with", models.CharField(blank=True, max_length=64)),
        migrations.RunPython(stamp_all, migrations.RunPython.noop),
        migrations.RunPython(passed_on, migrations.RunPython.noop),
    ]

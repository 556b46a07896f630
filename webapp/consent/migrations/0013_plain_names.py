"""Names that were given before they were checked lose line breaks, control characters and turned writing."""

from typing import Any

from django.db import migrations

from webapp.names import is_seen, plain_name

_NAMES = (
    *(("accounts", "Team"), ("projects", "Project"), ("projects", "Person"), ("consent", "Consent")),
    *(("uploads", "Asset"), ("uploads", "Upload"), ("studio", "Run"), ("api", "ApiToken")),
)
_MAY_BE_EMPTY = ("Person", "Consent")


def clean(apps: Any, _schema: Any) -> None:
    for app, model in _NAMES:
        rows = apps.get_model(app, model).objects
        for key, name in list(rows.values_list("pk", "name")):
            if all(map(is_seen, name)):
                continue
            plain = plain_name(name) or ("" if model in _MAY_BE_EMPTY else f"{model} {key}")
            rows.filter(pk=key).update(name=plain)


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0012_one_open_consent"),
        ("accounts", "0001_initial"),
        ("api", "0001_initial"),
        ("projects", "0003_chain_is_unique"),
        ("studio", "0003_jobs_of_teams"),
        ("uploads", "0001_initial"),
    ]

    operations = [migrations.RunPython(clean, migrations.RunPython.noop)]

"""Two people of one project who have the same name are told apart by their side."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models


def mark(apps: Any, schema_editor: Any) -> None:
    """Mark those that there are already."""
    people = apps.get_model("projects", "Person").objects.using(schema_editor.connection.alias)
    names: dict[int, list[tuple[int, str]]] = {}
    for pk, project, name in people.exclude(name="").values_list("pk", "project_id", "name"):
        names.setdefault(project, []).append((pk, name.strip().casefold()))
    same = [pk for found in names.values() if len(found) > len({name for _, name in found}) for pk, _ in found]
    for start in range(0, len(same), 500):
        people.filter(pk__in=same[start : start + 500]).update(namesake=True)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("projects", "0003_chain_is_unique")]

    operations: ClassVar = [
        migrations.AddField("person", "namesake", models.BooleanField(default=False)),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]

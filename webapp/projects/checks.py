"""``manage.py check --database default``: the database itself keeps the audit trail as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from webapp.projects import triggers


@register(Tags.database)
def trail_is_kept(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The triggers are in place."""
    lacking: list[CheckMessage] = []
    for using in databases or ():
        if "projects_audithead" in connections[using].introspection.table_names():
            lacking += [
                Error(f"the database trigger {name} is missing", hint="run `manage.py migrate`", id="projects.E001")
                for name in triggers.missing(using)
            ]
    return lacking

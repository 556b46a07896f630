"""``manage.py check``: no kind of job goes around the gate; with ``--database default``: the database's own rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from faceengine.jobs import kinds
from webapp.consent import triggers


@register
def kinds_ask(**_: Any) -> list[CheckMessage]:
    """Every kind of job asks the gate before it begins, and before its files are handed out."""
    open_ = [name for name in kinds.names() if not kinds.get(name).asks]
    hint = "register it with permit=gate.permit(Act.…) and may_deliver=gate.may_deliver"
    return [Warning(f"jobs of the kind {name!r} need no consent", hint=hint, id="consent.W001") for name in open_]


@register(Tags.database)
def database_refuses(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The triggers are in place."""
    lacking: list[CheckMessage] = []
    for using in databases or ():
        if "consent_gatedkind" in connections[using].introspection.table_names():
            lacking += [
                Error(f"the database lacks the rule {name}", hint="run `manage.py migrate`", id="consent.E001")
                for name in triggers.missing(using)
            ]
    return lacking

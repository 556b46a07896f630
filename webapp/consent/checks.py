"""``manage.py check``: no kind of job goes around the gate; with ``--database default``: the database's own rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from faceengine.jobs import kinds
from webapp.consent import triggers, vault


@register
def kinds_ask(**_: Any) -> list[CheckMessage]:
    """Every kind of job asks the gate before it begins, and before its files are handed out."""
    open_ = [name for name in kinds.names() if not kinds.get(name).asks]
    hint = "register it with permit=gate.permit(Act.…) and may_deliver=gate.may_deliver"
    return [Warning(f"jobs of the kind {name!r} need no consent", hint=hint, id="consent.W001") for name in open_]


@register(Tags.database)
def database_refuses(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The triggers are in place, and the kinds of jobs that they ask about are written down."""
    lacking: list[CheckMessage] = []
    hint = "run `manage.py migrate`"
    for using in databases or ():
        tables = connections[using].introspection.table_names()
        if "consent_consent" not in tables:
            continue  # not migrated yet
        if "consent_gatedkind" not in tables:
            lacking.append(Error("the database lacks the table consent_gatedkind", hint=hint, id="consent.E001"))
            continue
        lacking += [
            Error(f"the database lacks the rule {name}", hint=hint, id="consent.E001")
            for name in triggers.missing(using)
        ]
        lacking += [
            Error(f"the database lets jobs of the kind {name!r} in without consent", hint=hint, id="consent.E002")
            for name in triggers.ungated(using)
        ]
    return lacking


@register
def master_key(**_: Any) -> list[CheckMessage]:
    """The key that wraps the keys of all evidence is one."""
    try:
        vault.master_key()
    except (ImproperlyConfigured, OSError) as error:
        return [Error(f"no evidence can be kept: {error}", hint="see CONSENT_MASTER_KEY", id="consent.E003")]
    return []

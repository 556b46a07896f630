"""``manage.py check``: no kind of job goes around the gate; with ``--database default``: the database's own rules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
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
    return [Warning(f"jobs of type {name!r} need no consent", hint=hint, id="consent.W001") for name in open_]


@register
def keys_are_apart(**_: Any) -> list[CheckMessage]:
    """People's keys can be written, and lie outside of what is backed up with the evidence."""
    folder = Path(settings.CONSENT_KEYS_DIR).resolve()
    backed_up = [Path(settings.DATA_DIR).resolve(), Path(settings.MEDIA_ROOT).resolve()]
    if any(folder.is_relative_to(one) for one in backed_up):
        text = f"CONSENT_KEYS_DIR ({folder}) is inside a backed-up folder, so a withdrawal could not destroy keys"
        hint = "choose a folder outside DATA_DIR, and exclude it from backups (docs/running.md)"
        return [Error(text, hint=hint, id="consent.E002")]
    nearest = next(one for one in (folder, *folder.parents) if one.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        text = f"CONSENT_KEYS_DIR ({folder}) is not writable, so no evidence can be stored"
        return [Error(text, hint="all web servers and workers share this folder", id="consent.E003")]
    return []


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
            lacking.append(Error("the database table consent_gatedkind is missing", hint=hint, id="consent.E001"))
            continue
        lacking += [
            Error(f"the database trigger {name} is missing", hint=hint, id="consent.E001")
            for name in triggers.missing(using)
        ]
        lacking += [
            Error(f"the database accepts jobs of type {name!r} without consent", hint=hint, id="consent.E002")
            for name in triggers.ungated(using)
        ]
    return lacking


@register
def master_key(**_: Any) -> list[CheckMessage]:
    """The key that wraps the keys of all evidence is one."""
    try:
        vault.master_key()
    except (ImproperlyConfigured, OSError) as error:
        return [Error(f"no evidence can be stored: {error}", hint="see CONSENT_MASTER_KEY", id="consent.E003")]
    return []

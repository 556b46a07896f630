"""Kinds of space and reasons, in words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from faceengine.jobs import kinds
from faceengine.jobs.presentation import OTHER, Words
from webapp.operations.places import Root
from webapp.operations.survey import Kind, Why

KINDS: dict[str, Words] = {
    Kind.ARRIVING: _("Files on their way"),
    Kind.PICTURES: _("Small pictures of faces"),
    Kind.EVIDENCE: _("Evidence of consents, encrypted"),
    Kind.LOGS: _("Logs"),
    Kind.SCRATCH: _("Scratch of attempts"),
    Kind.CACHE: _("Copies of what is in the store"),
    Kind.OTHER: OTHER.label,
}

WHY: dict[Why, Promise] = {
    Why.EXPIRED: _("Uploads that were broken off and have expired"),
    Why.NOBODY_S: _("Files that nothing in the database names"),
    Why.LEFT: _("What processes left that died"),
    Why.OLD_LOG: _("Logs that are too old to be kept"),
    Why.OLD_COPY: _("Copies of what was deleted"),
}

ROOTS: dict[str, Promise] = {
    Root.STORAGE: _("files"),
    Root.UPLOADS: _("uploads on their way"),
    Root.VERIFY: _("files to be verified"),
    Root.SCRATCH: _("scratch"),
    "data": _("database"),
}


def space(name: str) -> Words:
    """Return what a category of space is called."""
    own = (presentation.storage for presentation in kinds.presentations())
    return KINDS.get(name) or next((storage.label for storage in own if storage.name == name), name)

"""Kinds of space and reasons, in words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from faceengine.jobs import kinds
from faceengine.jobs.presentation import OTHER, Words
from webapp.operations.places import Root
from webapp.operations.survey import Kind, Why

KINDS: dict[str, Words] = {
    Kind.ARRIVING: _("Partial uploads"),
    Kind.PICTURES: _("Face thumbnails"),
    Kind.EVIDENCE: _("Consent evidence (encrypted)"),
    Kind.LOGS: _("Logs"),
    Kind.SCRATCH: _("Scratch files of attempts"),
    Kind.CACHE: _("Local copies of files in the object store"),
    Kind.OTHER: OTHER.label,
}

WHY: dict[Why, Promise] = {
    Why.EXPIRED: _("Expired partial uploads"),
    Why.NOBODY_S: _("Files that the database doesn't reference"),
    Why.LEFT: _("Files left by crashed processes"),
    Why.OLD_LOG: _("Logs older than the retention period"),
    Why.OLD_COPY: _("Copies of deleted files"),
}

ROOTS: dict[str, Promise] = {
    Root.STORAGE: _("file storage"),
    Root.UPLOADS: _("partial uploads"),
    Root.VERIFY: _("files being verified"),
    Root.SCRATCH: _("scratch files"),
    "data": _("database"),
}


def space(name: str) -> Words:
    """Return what a category of space is called."""
    own = (presentation.storage for presentation in kinds.presentations())
    return KINDS.get(name) or next((storage.label for storage in own if storage.name == name), name)

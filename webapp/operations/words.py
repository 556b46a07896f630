"""Kinds of space and reasons, in words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webapp.operations.places import Root
from webapp.operations.survey import Kind, Why

KINDS: dict[Kind, Promise] = {
    Kind.FOOTAGE: _("Uploads that were taken in"),
    Kind.ARRIVING: _("Files on their way"),
    Kind.FACES: _("Face sets"),
    Kind.PICTURES: _("Small pictures of faces"),
    Kind.RUNS: _("Runs, with their checkpoints and previews"),
    Kind.CONVERSIONS: _("Conversions"),
    Kind.SCORES: _("Scores"),
    Kind.EVIDENCE: _("Evidence of consents, encrypted"),
    Kind.LOGS: _("Logs"),
    Kind.SCRATCH: _("Scratch of attempts"),
    Kind.CACHE: _("Copies of what is in the store"),
    Kind.OTHER: _("Anything else"),
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

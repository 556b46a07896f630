"""What the gate refuses, and why, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from faceengine.jobs.permits import Refused
from webapp.uploads.words import reason as file_reason

if TYPE_CHECKING:
    from webapp.projects.models import AuditEntry, Person, Project

REASONS: dict[str, Promise] = {
    "consent.missing": _("%(person)s has not agreed to this project yet. Ask for consent first."),
    "consent.waiting": _("The consent of %(person)s is given, but nobody has reviewed it yet."),
    "consent.refused": _("The consent of %(person)s was not accepted. Ask again."),
    "consent.expired": _("The consent of %(person)s has expired. Ask again."),
    "consent.withdrawn": _("%(person)s has withdrawn their consent."),
    "consent.scope": _("%(person)s did not agree to this use."),
    "consent.foreign": _("This work would use what belongs to another project, whose people were not asked."),
    "consent.no_mandate": _("This work names no consents. Begin it in a project whose two people have agreed."),
}
"""By code: why nothing moves."""

STEPS: dict[str, Promise] = {
    "consent.own_review": _("Whoever asked for a consent can't review it. Another member of the team must."),
    "consent.role": _("Only owners and editors of the team review consents."),
    "consent.not_given": _("The consent has not been given yet, so there is nothing to review."),
    "consent.not_synthetic": _("There is footage here of people who were not made by a computer."),
    "consent.closed": _("The consent has been decided on already."),
    "consent.there": _("There is a live consent already."),
    "consent.link_unknown": _("There is no such link. Ask whoever sent it for another one."),
    "consent.link_used": _("This link was used already."),
    "consent.link_expired": _("This link has expired. Ask whoever sent it for another one."),
    "consent.phrase": _("The phrase is not the last one that was shown, or took too long. Read the new one, please."),
    "consent.no_file": _("There is no recording and no file."),
    "consent.no_name": _("Write your name, and tick that you agree."),
    "consent.no_purpose": _("Tick at least one use."),
    "consent.often": _("That was too often. Wait a minute and try again."),
    "consent.busy": _("Too many files are being checked just now. Nothing was kept; send it again in a minute."),
    "consent.evidence_large": _("The file is too large."),
    "consent.evidence_kind": _("That is no video. A recording, a video file or a PDF is needed."),
    "consent.evidence_known": _("This file was sent for another consent before. A new one is needed."),
    "consent.vault": _("The studio can't keep anything safely just now. Nothing was kept; please try again later."),
    "consent.changed": _("The text has changed since you opened this page. Read it again, please."),
    "consent.evidence_unsigned": _(
        "The document carries no valid digital signature. A scan can be sent as a file for review instead."
    ),
    "consent.evidence_unreadable": _("The file can't be read."),
    "pdf.unknown": _("That is no PDF."),
    "pdf.large": _("The document is too large."),
    "pdf.active": _("The document holds scripts, actions or other files, and is not taken."),
    "pdf.encrypted": _("The document is locked with a password."),
    "pdf.unreadable": _("The document can't be read."),
}
"""By code: why a consent does not go on."""


class ConsentError(Refused):
    """Something may not be done, because a person has not, or not any more, agreed to it."""

    def __init__(self, code: str, person: Person | None = None, project: Project | None = None, act: str = "") -> None:
        self.person = person
        self.project = project
        self.act = act
        self.entry: AuditEntry | None = None
        """Where the audit trail says so."""
        super().__init__(code, str(REASONS[code] % {"person": person or _("A person")}))


class ConsentStepError(Exception):
    """A consent can't be asked for, given or reviewed like that. ``code`` is stable; :data:`STEPS` has the words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        return str(STEPS.get(self.code) or file_reason(self.code))

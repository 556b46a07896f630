"""What the gate refuses, and why, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from faceengine.jobs.permits import Refused
from webapp.accounts.words import REVIEW
from webapp.file_reasons import reason as file_reason
from webapp.names import NAMES

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

LACKING: dict[str, Promise] = {
    "train": _("%(person)s has not agreed to training a model with their face."),
    "swap": _("%(person)s has not agreed to swapping faces in videos."),
    "deliver": _("%(person)s has not agreed to sharing results outside the studio."),
}
"""By purpose: what a live consent does not allow."""

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
    "consent.link_ended": _(
        "This link has ended: whoever made it may not ask for consent any more. Ask the team for another one."
    ),
    "consent.own_ended": _(
        "This link has ended: the member of the team who passed it on to you has left or has another role. "
        "Ask the team for another one."
    ),
    "consent.for_person": _("This link is for the person who agreed, not for members. Sign out to open it as them."),
    "consent.own_only": _("The person has had this link from the studio alone; only they can renew it."),
    "consent.code": _("That code is not right. Write it as it was shown to you, or ask for a mail."),
    "consent.phrase": _("The phrase is not the last one that was shown, or took too long. Read the new one, please."),
    "consent.no_file": _("There is no recording and no file."),
    "consent.no_name": _("Write your name, and tick that you agree."),
    "consent.no_purpose": _("Tick at least one use."),
    "consent.often": _("That was too often. Wait a minute and try again."),
    "consent.busy": _("Too many files are being checked just now. Nothing was kept; send it again in a minute."),
    "consent.evidence_large": _("The file is too large."),
    "consent.evidence_kind": _("That is no video. A recording, a video file or a PDF is needed."),
    "consent.evidence_known": _("This recording or file was sent for another consent before. A new one is needed."),
    "consent.evidence_no_face": _(
        "The recording does not show one face in most of its pictures. Look into the camera, with light from the front."
    ),
    "consent.evidence_short": _("The recording is too short. Record at least four seconds, and read the whole text."),
    "consent.evidence_far": _("The face is too small to be seen well. Come closer to the camera and record again."),
    "consent.evidence_still": _(
        "The mouth does not move in the recording. Record yourself while you read aloud; a photo can't agree."
    ),
    "consent.evidence_silent": _(
        "There is no sound in the recording. Allow the microphone, see that it isn't muted, and record again."
    ),
    "consent.evidence_no_voice": _(
        "No voice is to be heard in the recording. Read aloud, near the microphone, where it is quieter."
    ),
    "consent.not_recorded": _(
        "Only the person's own page records them before a camera. Hand in what they sent you as a file."
    ),
    "consent.open": _("The person has been asked already, and that is still open."),
    "consent.not_seen": _("You have not looked at the evidence yet. Play the recording, or open the document, first."),
    "consent.no_evidence": _("Nothing was sent that shows that the person agrees, so there is nothing to review."),
    "consent.no_reason": _("Say why you refuse: the person reads it, and can do better."),
    "consent.not_confirmed": _("Confirm that you refuse: it can't be undone, and the person must be asked again."),
    "consent.vault": _("The studio can't keep anything safely just now. Nothing was kept; please try again later."),
    "consent.changed": _("The text has changed since you opened this page. Read it again, please."),
    "consent.evidence_unsigned": _(
        "The document carries no valid digital signature. A scan can be sent as a file for review instead."
    ),
    "consent.evidence_unreadable": _("The file can't be read."),
    "file.unknown": _("This file is neither a video (MP4, MOV, MKV, WebM, AVI, TS) nor a PDF. Send one of these."),
    "pdf.unknown": _("That is no PDF."),
    "pdf.large": _("The document is too large."),
    "pdf.active": _("The document holds scripts, actions or other files, and is not taken."),
    "pdf.encrypted": _("The document is locked with a password."),
    "pdf.unreadable": _("The document can't be read."),
}
"""By code: why a consent does not go on."""


class ConsentError(Refused):
    """Something may not be done, because a person has not, or not any more, agreed to it."""

    def __init__(
        self,
        code: str,
        person: Person | None = None,
        project: Project | None = None,
        act: str = "",
        purpose: str | None = None,
    ) -> None:
        self.person = person
        self.project = project
        self.act = act
        self.entry: AuditEntry | None = None
        """Where the audit trail says so."""
        words = LACKING.get(purpose or "", REASONS[code])
        super().__init__(code, str(words % {"person": person or _("A person")}))


class ConsentStepError(Exception):
    """A consent can't be asked for, given or reviewed like that. ``code`` is stable; :data:`STEPS` has the words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        return str(STEPS.get(self.code) or REVIEW.get(self.code) or NAMES.get(self.code) or file_reason(self.code))

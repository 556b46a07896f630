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
    "consent.waiting": _("%(person)s has given consent, but it has not been reviewed yet."),
    "consent.refused": _("The consent of %(person)s was refused in review. Ask for consent again."),
    "consent.expired": _("The consent of %(person)s has expired. Ask for consent again."),
    "consent.withdrawn": _("%(person)s has withdrawn their consent."),
    "consent.scope": _("%(person)s did not agree to this use."),
    "consent.foreign": _("This job would use data of another project, whose people did not agree to it."),
    "consent.no_mandate": _("This job has no consent grant. Start it in a project whose two people have agreed."),
}
"""By code: why nothing moves."""

LACKING: dict[str, Promise] = {
    "train": _("%(person)s has not agreed to training a model with their face."),
    "swap": _("%(person)s has not agreed to swapping faces in videos."),
    "deliver": _("%(person)s has not agreed to sharing results outside the studio."),
}
"""By purpose: what a live consent does not allow."""

STEPS: dict[str, Promise] = {
    "consent.own_review": _("The member who asked for a consent can't review it. Another member of the team must."),
    "consent.role": _("Only owners and editors can review consents."),
    "consent.not_given": _("The person has not given consent yet, so there is nothing to review."),
    "consent.not_synthetic": _("This project has footage of people who are not computer-generated."),
    "consent.closed": _("This consent was already decided."),
    "consent.there": _("There is already an active consent."),
    "consent.link_unknown": _(
        "This link does not exist. Check that you copied it completely, or ask the team for a new one."
    ),
    "consent.link_used": _(
        "This link was already used. To see or withdraw your consent, open your personal link, or ask the "
        "team for a new one."
    ),
    "consent.link_expired": _("This link has expired. Ask the team for a new one."),
    "consent.link_ended": _(
        "This link no longer works because the member who created it can no longer ask for consent. Ask the "
        "team for a new one."
    ),
    "consent.own_ended": _(
        "This link no longer works because the member who passed it on to you has left the team or has "
        "another role. Ask the team for a new one."
    ),
    "consent.for_person": _(
        "This link is for the person who gave consent, not for team members. If you are that person, sign out "
        "and open it again."
    ),
    "consent.own_only": _("The studio gave this link to the person directly. Only they can renew it."),
    "consent.code": _("The recovery code is wrong. Enter it exactly as it was shown with your link."),
    "consent.phrase": _("This is not the latest phrase, or its time is over. Read the new phrase aloud."),
    "consent.no_file": _("There is no recording or file. Record yourself, or choose a file."),
    "consent.no_name": _("Enter your name, and tick that you agree."),
    "consent.no_purpose": _("Select at least one use."),
    "consent.often": _("Too many attempts. Wait a minute and try again."),
    "consent.busy": _(
        "Too many files are being checked right now. Nothing was saved. Send your file again in a minute."
    ),
    "consent.evidence_large": _("The file is too large."),
    "consent.evidence_kind": _("This is not a video. Send a recording, a video file or a PDF."),
    "consent.evidence_known": _("This recording or file was already sent for another consent. Send a new one."),
    "consent.evidence_no_face": _(
        "The recording does not show the same face in most of its frames. Look into the camera, with light "
        "from the front, and record again."
    ),
    "consent.evidence_short": _("The recording is too short. Record at least four seconds, and read the whole phrase."),
    "consent.evidence_far": _("The face is too small. Move closer to the camera and record again."),
    "consent.evidence_still": _(
        "The mouth does not move in the recording. Record yourself while you read aloud. A photo can't give consent."
    ),
    "consent.evidence_silent": _(
        "The recording has no sound. Allow the microphone, check that it isn't muted, and record again."
    ),
    "consent.evidence_no_voice": _(
        "No voice can be heard in the recording. Read aloud close to the microphone, in a quiet place, and "
        "record again."
    ),
    "consent.not_recorded": _(
        "Only the person can record on camera, on the page that their consent link opens. "
        "Submit what they sent you as a file."
    ),
    "consent.open": _("The person was already asked, and the request is still open."),
    "consent.not_seen": _("View the evidence first: play the recording, or open the document."),
    "consent.no_evidence": _("There is no evidence that the person agrees, so there is nothing to review."),
    "consent.no_reason": _("Enter a reason. The person reads it and can send something better."),
    "consent.not_confirmed": _("Confirm the refusal. It can't be undone, and the person must be asked again."),
    "consent.vault": _("The studio can't store data securely right now. Nothing was saved. Try again later."),
    "consent.changed": _("The statement has changed since you opened this page. Read it again."),
    "consent.evidence_unsigned": _(
        "The document has no valid digital signature. You can send a scan as a file instead."
    ),
    "consent.evidence_unreadable": _("The file can't be read."),
    "file.unknown": _(
        "This file is neither a video (MP4, MOV, MKV, WebM, AVI, TS) nor a PDF. Send one of these types."
    ),
    "pdf.unknown": _("This is not a PDF."),
    "pdf.large": _("The document is too large."),
    "pdf.active": _("The document contains scripts, actions or embedded files, so it can't be accepted."),
    "pdf.encrypted": _("The document is protected by a password. Remove the password and send it again."),
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

"""Why a file is refused, in words: one sentence for each stable code."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Promise] = {
    # While it arrives
    "upload.empty": _("The file is empty."),
    "upload.length": _("The browser did not say how long the file is."),
    "upload.metadata": _("What the browser said of the file can't be understood."),
    "upload.too_large": _("The file is larger than one file may be."),
    "upload.quota": _("The team's space is used up. Delete something first."),
    "upload.many": _("Too many files are on their way. Wait until some have been checked, or remove some."),
    "upload.disk_full": _("The studio's disk is full."),
    "upload.expired": _("The upload was broken off too long ago. Begin it anew."),
    "upload.busy": _("Another part of this file is arriving just now."),
    "upload.offset": _("This part does not follow on what has arrived."),
    "upload.checksum": _("This part was damaged on its way."),
    "upload.excess": _("More arrived than the file was to be long."),
    "upload.type": _("This is not how parts of files are sent."),
    "upload.version": _("Only version 1.0.0 of tus is spoken here."),
    # When it is looked at
    "file.empty": _("The file is empty."),
    "file.unknown": _(
        "This is neither a video (MP4, MOV, MKV, WebM, AVI, TS) nor a photo (JPEG, PNG, HEIC, AVIF, WebP, BMP)."
    ),
    "file.duplicate": _("This very file is here already."),
    "video.empty": _("The file is empty."),
    "video.unreadable": _("The video is damaged, or made with a codec that is not accepted."),
    "video.no_frames": _("There are no moving pictures in the file."),
    "video.truncated": _("The video is cut off: not one of its frames is whole."),
    "video.too_large": _("The video's pictures have more than 40 million pixels."),
    "video.too_small": _("The video's pictures are too small."),
    "video.too_long": _("The video lasts longer than two hours. Cut it first."),
    "video.rate": _("The video has more than 240 frames a second."),
    "video.gap": _("The video's time stamps have large gaps."),
    "video.boxes": _("The video file is built from too many parts. Export it again, then upload the new file."),
    "video.tracks": _("The video has too many tracks."),
    "video.joined": _("The file holds several videos, one behind the other. Upload them one by one."),
    "video.dolby_vision": _("The video's colours are Dolby Vision's own. Export it as SDR, HDR10 or HLG first."),
    "video.frames": _("Frames of the video were lost on the way. Try again."),
    "video.stuck": _("The video could not be read to its end in any sensible time."),
    "photo.unreadable": _("The photo is damaged."),
    "photo.too_large": _("The photo has more than 40 million pixels."),
    "photo.too_small": _("The photo is too small."),
    "photo.heif": _("The file is a sequence of HEIC pictures. Save one of them as JPEG or PNG first."),
    "body.killed": _("The file made its reader crash."),
    "body.memory": _("The file needs more memory than there is."),
    "body.late": _("The file could not be read in any sensible time."),
    "memory.full": _("The file needs more memory than there is."),
    "body.hung": _("The file could not be read in any sensible time."),
    "consent.synthetic": _("The people of this project are made by a computer: only the demo's own clips show them."),
    # Nothing is wrong with the file
    "asset.missing": _("The file was lost in the storage. Send it again."),
    "disk.full": _("The studio's disk is full. Make room and try again."),
    "intake.cancelled": _("Somebody cancelled it."),
    "runner.lost": _("The machine that looked at it was lost. Try again."),
    "store.unreachable": _("The file store could not be reached. Try again."),
}
_NO_CONSENT = _("The consent of one of the two people was not there. Try again when it is.")
_ANYTHING_ELSE = _("It could not be taken in.")


def reason(code: str) -> Promise:
    """Why, in a sentence."""
    return REASONS.get(code, _NO_CONSENT if code.startswith("consent.") else _ANYTHING_ELSE)

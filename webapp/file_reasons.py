"""Why a file is refused, in words: one sentence for each stable code."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Promise] = {
    # While it arrives
    "upload.empty": _("The file is empty."),
    "upload.length": _("The browser did not send the file's size. Reload the page and try again."),
    "upload.metadata": _("The browser sent invalid information about the file. Reload the page and try again."),
    "upload.too_large": _("The file is larger than the limit for one file."),
    "upload.quota": _("The team's storage is full. Delete something first."),
    "upload.many": _("Too many uploads are in progress. Wait until some files have been checked, or remove some."),
    "upload.disk_full": _("The studio's disk is full."),
    "upload.expired": _("The upload was interrupted too long ago. Upload the file again."),
    "upload.busy": _("Another part of this file is being uploaded. Try again in a moment."),
    "upload.offset": _("This part does not continue where the upload stopped."),
    "upload.checksum": _("This part was damaged during the upload."),
    "upload.excess": _("More data arrived than the announced file size."),
    "upload.type": _("The request does not follow the upload protocol (tus)."),
    "upload.version": _("Only tus version 1.0.0 is supported."),
    # When it is looked at
    "file.empty": _("The file is empty."),
    "file.unknown": _(
        "This is neither a video (MP4, MOV, MKV, WebM, AVI, TS) nor a photo (JPEG, PNG, HEIC, AVIF, WebP, BMP)."
    ),
    "file.duplicate": _("This file was already uploaded."),
    "video.empty": _("The file is empty."),
    "video.unreadable": _("The video is damaged, or its codec is not supported."),
    "video.no_frames": _("The file contains no video frames."),
    "video.truncated": _("The video is truncated: it has no complete frame."),
    "video.too_large": _("The frames of the video have more than 40 million pixels."),
    "video.too_small": _("The frames of the video are too small."),
    "video.too_long": _("The video is longer than two hours. Cut it first."),
    "video.rate": _("The video has more than 240 frames per second."),
    "video.gap": _("The video's time stamps have large gaps."),
    "video.boxes": _("The video file has too many parts. Export the video again, then upload the new file."),
    "video.tracks": _("The video has too many tracks."),
    "video.joined": _("The file contains several videos in a row. Upload them one by one."),
    "video.dolby_vision": _("The video uses Dolby Vision's proprietary colours. Export it as SDR, HDR10 or HLG first."),
    "video.frames": _("Frames were lost while the video was processed. Try again."),
    "video.stuck": _("Reading the video took too long."),
    "photo.unreadable": _("The photo is damaged."),
    "photo.too_large": _("The photo has more than 40 million pixels."),
    "photo.too_small": _("The photo is too small."),
    "photo.heif": _("The file is a HEIC image sequence. Save one of the images as JPEG or PNG first."),
    "body.killed": _("The program that read the file crashed. The file may be damaged."),
    "body.memory": _("Reading the file takes more memory than is available."),
    "body.late": _("Reading the file took too long."),
    "memory.full": _("Reading the file takes more memory than is available."),
    "body.hung": _("Reading the file took too long."),
    "consent.synthetic": _("The people in this project are computer-generated, so it accepts only the demo's clips."),
    # Nothing is wrong with the file
    "asset.missing": _("The file was lost in storage. Upload it again."),
    "disk.full": _("The studio's disk is full. Free some space and try again."),
    "intake.cancelled": _("The import was cancelled."),
    "runner.lost": _("The machine that checked the file failed. Try again."),
    "store.unreachable": _("The file storage could not be reached. Try again."),
}
_NO_CONSENT = _("The consent of one of the two people was missing. Try again when both have agreed.")
_ANYTHING_ELSE = _("The file could not be imported.")


def reason(code: str) -> Promise:
    """Why, in a sentence."""
    return REASONS.get(code, _NO_CONSENT if code.startswith("consent.") else _ANYTHING_ELSE)

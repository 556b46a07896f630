"""Stable codes in words: those of the ledger and those that kinds of jobs share. A kind's own words are in its
presentation (``presentation.py``). A code without words is shown as it was written."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from faceengine.jobs import kinds
from faceengine.jobs.presentation import Words
from faceengine.jobs.queries import MANY, Waiting

STAGES: dict[str, Words] = {
    "load": _("preparing"),
    "weights": _("downloading weights"),
    "parts": _("running segments"),
}
"""Stages that kinds of jobs share, or that the ledger tells of itself; a kind's own are in its presentation."""

UNITS: dict[str, Words] = {
    "crops": _("crops"),
    "frames": _("frames"),
    "iterations": _("iterations"),
    "bytes": _("bytes"),
    "parts": _("segments"),
}

CHANGES: dict[str, Words] = {
    "pause": _("Pause"),
    "resume": _("Resume"),
    "cancel": _("Cancel"),
    "retry": _("Retry"),
    "up": _("Move up"),
    "front": _("Move to front"),
    "raise": _("Raise priority"),
    "lower": _("Lower priority"),
}

ASKED: dict[str, Words] = {
    "pause": _("will pause at the next checkpoint"),
    "cancel": _("is being cancelled"),
}

WAITING: dict[str, Words] = {
    "paused": _("Paused until a member resumes it"),
    "parts": _("Waiting for segments: {done} of {total} done"),
    "kind": _("Waiting for a worker that supports this job type: {kind}"),
    "slot": _("Waiting for a {slot_kind} slot: no worker with one is running"),
    "version": _("Waiting for a worker of a newer version"),
    "ahead": _("Jobs ahead in the queue: {count}"),
    "busy": _("Next in the queue; all slots are busy"),
    "next": _("About to start"),
    "nothing": "",
}
"""For what a job waits, by the code of :class:`queries.Waiting`."""

MESSAGES: dict[str, Words] = {
    "asset.missing": _("A file that the job needs is missing"),
    "asset.name": _("A file name points outside the storage"),
    "body.defect": _("Internal error in the engine"),
    "body.died": _("The job process ended unexpectedly"),
    "body.garbage": _("The job process printed unreadable output"),
    "body.hung": _("The job process stopped responding and was ended"),
    "body.killed": _("The job process was killed"),
    "body.late": _("The job exceeded its time limit"),
    "body.late_crash": _("The job process crashed after its work was done"),
    "body.no_result": _("The job process ended without a result"),
    "body.stopped": _("The job process stopped without being asked to"),
    "checkpoint.damaged": _("The checkpoint is damaged"),
    "checkpoint.preset": _("The checkpoint was made with another preset"),
    "checkpoint.version": _("The checkpoint was made by another version of this program"),
    "config.choice": _("A setting has a value that is not allowed"),
    "config.missing": _("A setting is missing"),
    "config.range": _("A setting is out of range"),
    "config.type": _("A setting has the wrong type"),
    "config.unknown": _("A setting is unknown"),
    "consent.expired": _("A consent has expired"),
    "consent.foreign": _("The job would use data of another project"),
    "consent.missing": _("A consent is missing"),
    "consent.no_mandate": _("The job has no consent grant"),
    "consent.reference": _("The faces in a consent recording can't be read"),
    "consent.refused": _("A consent was refused in the review"),
    "consent.scope": _("A person has not agreed to this use"),
    "consent.waiting": _("A consent is waiting for review"),
    "consent.withdrawn": _("A consent was withdrawn"),
    "device": _("The device is not available"),
    "device.full": _("The memory of the GPU is full"),
    "disk.denied": _("Permission to read or write was denied"),
    "disk.full": _("The disk is full"),
    "disk.path": _("This path can't be used"),
    "embedding.dlib": _("Face recognition uses dlib instead of FaceNet"),
    "faceset.damaged": _("The face set is damaged"),
    "faceset.format": _("The face set was made by another version of this program"),
    "faceset.missing": _("The face set doesn't exist"),
    "faceset.picture": _("An image of the face set is missing"),
    "faceset.unfinished": _("The extraction is not complete"),
    "folder.busy": _("Another process is using this folder"),
    "landmarks.dlib": _("Landmark detection uses dlib instead of FAN"),
    "marks.done": _("The result has its provenance labels"),
    "marks.missing": _("The result lacks provenance labels and can't be downloaded"),
    "memory.full": _("Out of memory"),
    "output.busy": _("Another process is writing this result"),
    "run.missing": _("The training doesn't exist"),
    "runner.defect": _("Internal error in the runner"),
    "runner.late": _("The machine that ran the job stopped responding; the job was taken over"),
    "runner.lost": _("The machine that ran the job was lost"),
    "sign.expired": _("The signing certificate has expired"),
    "sign.failed": _("The result can't be signed"),
    "sign.mismatch": _("The signing key doesn't match the certificate"),
    "sign.missing": _("The signing key or certificate is missing"),
    "sign.not_yet_valid": _("The signing certificate is not valid yet, or the clock is wrong"),
    "sign.unreadable": _("The signing key or certificate can't be read"),
    "store.refused": _("The object store denied access"),
    "store.unreachable": _("The object store can't be reached"),
    "team.disk": _("The team has used up its disk space"),
    "team.jobs": _("The team has too many jobs queued or running"),
    "team.member_jobs": _("The member has too many jobs queued or running"),
    "video.alpha": _("The video is partly transparent"),
    "video.clock": _("The video consists of several recordings"),
    "video.colours": _("The colours of the video are converted"),
    "video.dolby_vision": _("The video uses Dolby Vision colours"),
    "video.empty": _("The video is empty"),
    "video.encode": _("The video could not be encoded"),
    "video.frames": _("Video frames were lost"),
    "video.interlaced": _("The video is interlaced"),
    "video.joined": _("The file contains several videos in a row"),
    "video.missing": _("The video is missing"),
    "video.rate_lowered": _("The frame rate of the video is reduced"),
    "video.sound_before": _("Audio before the first frame is dropped"),
    "video.sound_encoded": _("The audio is re-encoded as AAC"),
    "video.sound_left_out": _("The audio of the video can't be read and is dropped"),
    "video.sound_tracks": _("Only one audio track is used"),
    "video.tracks_left_out": _("Only one video track is used"),
    "video.truncated": _("The video ends early"),
    "video.unreadable": _("The video can't be read"),
    "weights.damaged": _("A weights file of the engine is damaged"),
    "weights.hash": _("The downloaded weights have the wrong hash"),
    "weights.missing": _("A weights file of the engine is missing"),
    "weights.unreachable": _("The weights can't be downloaded"),
}
"""Headlines of the codes that kinds share; a kind's own are in its presentation. The sentence with the particulars is
shown beside them."""

ADVICE: dict[str, Words] = {
    "checkpoint.damaged": _("Use another snapshot of the training, or start a new training."),
    "checkpoint.preset": _("Choose the preset of the training whose weights you want to use, or start without them."),
    "checkpoint.version": _("Start a new training. You can use the same faces."),
    "device.full": _("Wait until other programs have released the GPU, then retry."),
    "memory.full": _("Retry when less is running on the machine, or choose a smaller preset or batch."),
    "weights.damaged": _("Delete the file, then download the weights again on the Networks page."),
    "weights.hash": _("Delete the file, then download the weights again on the Networks page."),
}
"""What to do about codes that kinds share; a kind's own advice is in its presentation."""


def advice(code: str) -> Words:
    """What to do about a message or an error; empty where nobody knows in general."""
    if code in ADVICE:
        return ADVICE[code]
    return next((own.advice[code] for own in kinds.presentations() if code in own.advice), "")


def message(code: str) -> Words:
    """The headline of a message's or an error's code; the code itself if there is none."""
    if code in MESSAGES:
        return MESSAGES[code]
    return next((own.messages[code] for own in kinds.presentations() if code in own.messages), code)


def kind(name: str) -> Words:
    """What a kind of job does."""
    return kinds.presentation_of(name).label or name


def stages(kind: str) -> dict[str, Words]:
    """Return what a job of that kind is doing, by the stage that its progress names."""
    return {**STAGES, **kinds.presentation_of(kind).stages}


def stage(name: str, kind: str) -> Words:
    """What a stage of a job of that kind is doing."""
    return stages(kind).get(name, name)


def units(kind: str) -> dict[str, Words]:
    """Return what a job of that kind counts, by the unit that its progress names."""
    return {**UNITS, **kinds.presentation_of(kind).units}


def unit(name: str, kind: str) -> Words:
    """What is counted."""
    return units(kind).get(name, name)


def change(name: str) -> Words:
    """What a button does."""
    return CHANGES[name]


def asked(desired: str) -> Words:
    """What a job has been asked to do and will do soon."""
    return ASKED[desired]


def waiting(why: Waiting) -> str:
    """For what a job waits."""
    count = f"{MANY}+" if why.params.get("count") == MANY else why.params.get("count")
    return str(WAITING[why.code]).format(**why.params | {"count": count})

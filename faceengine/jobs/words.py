"""Stable codes in words: those of the ledger and those that kinds of jobs share. A kind's own words are in its
presentation (``presentation.py``). A code without words is shown as it was written."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from faceengine.jobs import kinds
from faceengine.jobs.presentation import Words
from faceengine.jobs.queries import MANY, Waiting

STAGES: dict[str, Words] = {
    "load": _("getting ready"),
    "weights": _("fetching weights"),
    "parts": _("its parts are at work"),
}
"""Stages that kinds of jobs share, or that the ledger tells of itself; a kind's own are in its presentation."""

UNITS: dict[str, Words] = {
    "crops": _("crops"),
    "frames": _("frames"),
    "iterations": _("iterations"),
    "bytes": _("bytes"),
    "parts": _("parts"),
}

CHANGES: dict[str, Words] = {
    "pause": _("Pause"),
    "resume": _("Resume"),
    "cancel": _("Cancel"),
    "retry": _("Retry"),
    "up": _("Up"),
    "front": _("To the front"),
    "raise": _("Raise priority"),
    "lower": _("Lower priority"),
}

ASKED: dict[str, Words] = {
    "pause": _("will pause at the next checkpoint"),
    "cancel": _("is being cancelled"),
}

WAITING: dict[str, Words] = {
    "paused": _("Rests until somebody resumes it"),
    "parts": _("Waits for its parts: {done} of {total} are done"),
    "kind": _("Waits for an installation that knows this kind of job: {kind}"),
    "slot": _("Waits for a {slot_kind} slot: none is alive"),
    "version": _("Waits for a worker of a newer version"),
    "ahead": _("Jobs ahead of it: {count}"),
    "busy": _("Is the next; every slot is at work"),
    "next": _("Is about to begin"),
    "nothing": "",
}
"""For what a job waits, by the code of :class:`queries.Waiting`."""

MESSAGES: dict[str, Words] = {
    "asset.missing": _("A file that the job needs is missing"),
    "asset.name": _("A file's name leads out of the storage"),
    "body.defect": _("The engine met a defect of its own"),
    "body.died": _("The engine's process came to a sudden end"),
    "body.garbage": _("The engine printed something unreadable"),
    "body.hung": _("No news for too long: taken for hung and stopped"),
    "body.killed": _("The engine's process was killed"),
    "body.late": _("It took more time than a job of its kind may take"),
    "body.late_crash": _("The engine's process crashed when its work was done"),
    "body.no_result": _("The engine ended without a result"),
    "body.stopped": _("The engine stopped though nobody had asked"),
    "checkpoint.damaged": _("The checkpoint is damaged"),
    "checkpoint.preset": _("The checkpoint is of another preset"),
    "checkpoint.version": _("The checkpoint was made by another version of this program"),
    "config.choice": _("A setting is none of the choices"),
    "config.missing": _("A setting is missing"),
    "config.range": _("A setting is out of range"),
    "config.type": _("A setting has the wrong type"),
    "config.unknown": _("A setting is unknown"),
    "consent.expired": _("A consent has expired"),
    "consent.foreign": _("It would use what belongs to another project"),
    "consent.missing": _("A consent is missing"),
    "consent.no_mandate": _("It names no consents"),
    "consent.reference": _("The faces in a consent's recording can't be read"),
    "consent.refused": _("A consent was not accepted"),
    "consent.scope": _("A person did not agree to this use"),
    "consent.waiting": _("A consent waits for its review"),
    "consent.withdrawn": _("A consent was withdrawn"),
    "device": _("The device is not there"),
    "device.full": _("The memory of the graphics card is full"),
    "disk.denied": _("Reading or writing there is not allowed"),
    "disk.full": _("The disk is full"),
    "disk.path": _("That path can't be used"),
    "embedding.dlib": _("dlib recognises instead of FaceNet"),
    "faceset.damaged": _("The face set is damaged"),
    "faceset.format": _("The face set is of another version"),
    "faceset.missing": _("There is no such face set"),
    "faceset.picture": _("A picture of the face set is lost"),
    "faceset.unfinished": _("The extraction has not come to its end"),
    "folder.busy": _("Another process works in this folder"),
    "landmarks.dlib": _("dlib finds landmarks instead of FAN"),
    "marks.done": _("The result carries its marks"),
    "marks.missing": _("Without all marks nothing leaves the studio"),
    "memory.full": _("Not enough memory"),
    "output.busy": _("Another process writes this result"),
    "run.missing": _("There is no such training run"),
    "runner.defect": _("The runner met a defect of its own"),
    "runner.late": _("The machine that worked on it stood still; the work went on without it"),
    "runner.lost": _("The machine that worked on it was lost"),
    "sign.expired": _("The certificate for signing has expired"),
    "sign.failed": _("The result can't be signed"),
    "sign.mismatch": _("The key for signing is not the certificate's"),
    "sign.missing": _("The key or certificate for signing is missing"),
    "sign.not_yet_valid": _("The certificate for signing is not valid yet, or the clock is wrong"),
    "sign.unreadable": _("The key or certificate for signing can't be read"),
    "store.refused": _("The file store refuses"),
    "store.unreachable": _("The file store can't be reached"),
    "team.disk": _("The team's disk space is used up"),
    "team.jobs": _("The team has too many jobs queued or running"),
    "team.member_jobs": _("The member has too many jobs queued or running"),
    "video.alpha": _("The video is partly transparent"),
    "video.clock": _("The video holds several recordings"),
    "video.colours": _("The video's colours are converted"),
    "video.dolby_vision": _("The video's colours are Dolby Vision's own"),
    "video.empty": _("The video is empty"),
    "video.encode": _("The video could not be encoded"),
    "video.frames": _("Frames of the video were lost"),
    "video.interlaced": _("The video is interlaced"),
    "video.joined": _("The file holds several videos, one behind the other"),
    "video.missing": _("The video is missing"),
    "video.rate_lowered": _("The video's frame rate is lowered"),
    "video.sound_before": _("Sound before the first picture is left out"),
    "video.sound_encoded": _("The sound is encoded as AAC"),
    "video.sound_left_out": _("The video's sound can't be read and is left out"),
    "video.sound_tracks": _("Only one sound track is taken"),
    "video.tracks_left_out": _("Only one picture track is taken"),
    "video.truncated": _("The video ends early"),
    "video.unreadable": _("The video can't be read"),
    "weights.damaged": _("An engine's weights file is damaged"),
    "weights.hash": _("Downloaded weights are not the right ones"),
    "weights.missing": _("The engine's weights are missing"),
    "weights.unreachable": _("Weights can't be downloaded"),
}
"""Headlines of the codes that kinds share; a kind's own are in its presentation. The sentence with the particulars is
shown beside them."""

ADVICE: dict[str, Words] = {
    "checkpoint.damaged": _("Use another snapshot of the run, or start a new training."),
    "checkpoint.preset": _("Choose the preset of the run whose weights are to be used, or start without them."),
    "checkpoint.version": _("Start a new training. The faces can be used again."),
    "device.full": _("Wait until the other programs on the graphics card are done, then retry."),
    "memory.full": _("Retry when less runs on the machine, or choose a preset of fewer pixels or a smaller batch."),
    "weights.damaged": _("Remove the file, then fetch the weights again on the weights page."),
    "weights.hash": _("Remove the file, then fetch the weights again on the weights page."),
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

"""The stable codes of the ledger and the engine, in words. What has no words here is shown as it was written."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from faceengine.jobs.queries import MANY, Waiting

Words = str | Promise

KINDS: dict[str, Words] = {
    "extract": _("Extract faces"),
    "train": _("Train"),
    "convert": _("Convert"),
    "convert-segment": _("Convert a part"),
    "score": _("Score"),
}

STAGES: dict[str, Words] = {
    "extract": _("extracting faces"),
    "measure": _("measuring"),
    "train": _("training"),
    "convert": _("converting"),
    "join": _("joining the parts"),
    "weights": _("fetching weights"),
    "parts": _("its parts are at work"),
}

UNITS: dict[str, Words] = {
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
    "body.garbage": _("The engine printed something unreadable"),
    "body.hung": _("No news for too long: taken for hung and stopped"),
    "body.defect": _("The engine met a defect of its own"),
    "body.died": _("The engine's process came to a sudden end"),
    "body.killed": _("The engine's process was killed"),
    "body.late_crash": _("The engine's process crashed when its work was done"),
    "body.no_result": _("The engine ended without a result"),
    "config.unknown": _("A setting is unknown"),
    "config.missing": _("A setting is missing"),
    "config.type": _("A setting has the wrong type"),
    "config.choice": _("A setting is none of the choices"),
    "config.range": _("A setting is out of range"),
    "convert.no_person": _("The person was not seen in the video"),
    "disk.full": _("The disk is full"),
    "embedding.dlib": _("dlib recognises instead of FaceNet"),
    "extract.bad_photo": _("A photo could not be read"),
    "extract.input_without_face": _("No face was found in one of the inputs"),
    "extract.no_face": _("No face was found"),
    "faceset.damaged": _("The face set is damaged"),
    "faceset.missing": _("There is no such face set"),
    "folder.busy": _("Another process works in this folder"),
    "landmarks.dlib": _("dlib finds landmarks instead of FAN"),
    "run.missing": _("There is no such training run"),
    "runner.lost": _("The machine that worked on it was lost"),
    "store.refused": _("The file store refuses"),
    "store.unreachable": _("The file store can't be reached"),
    "train.begin": _("Training begins"),
    "train.few": _("Few faces to learn from"),
    "train.leans": _("One person is learnt worse than the other"),
    "train.mask_collapsed": _("The mask has collapsed"),
    "train.nan": _("The training diverged"),
    "train.no_perceptual": _("Training goes on without the perceptual loss"),
    "train.set_changed": _("A face set has changed since the run began"),
    "train.too_few": _("Too few faces to learn from"),
    "train.warm_start": _("Starts from the weights of another run"),
    "video.truncated": _("The video ends early"),
    "video.unreadable": _("The video can't be read"),
    "weights.missing": _("The engine's weights are missing"),
}
"""Headlines; the sentence with the particulars stands beside them."""


def message(code: str) -> Words:
    """The headline of a message's or an error's code; the code itself if there is none."""
    return MESSAGES.get(code, code)


def kind(name: str) -> Words:
    """What a kind of job does."""
    return KINDS.get(name, name)


def stage(name: str) -> Words:
    """What a stage is doing."""
    return STAGES.get(name, name)


def unit(name: str) -> Words:
    """What is counted."""
    return UNITS.get(name, name)


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

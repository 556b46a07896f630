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
    "convert-still": _("Preview a frame"),
    "score": _("Score"),
    "intake": _("Take in a file"),
}

STAGES: dict[str, Words] = {
    "extract": _("extracting faces"),
    "measure": _("measuring"),
    "train": _("training"),
    "convert": _("converting"),
    "join": _("joining the parts"),
    "load": _("getting ready"),
    "load a": _("reading person A's faces"),
    "load b": _("reading person B's faces"),
    "weights": _("fetching weights"),
    "parts": _("its parts are at work"),
    "intake": _("checking and making ready"),
}

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
    "convert.no_person": _("The person was not seen in the video"),
    "convert.other_model": _("The model was trained on another person than the one who agreed"),
    "convert.other_person": _("The face is not that of the person who agreed"),
    "convert.person": _("The person can't be recognised by this set"),
    "convert.range": _("The video does not have those frames"),
    "convert.reference": _("The consents' recordings have changed meanwhile"),
    "convert.same_file": _("The result would overwrite its own video"),
    "convert.unchecked": _("The result's faces were never compared with the people who agreed"),
    "convert.unverified": _("It is not certain that the swapped face is that of the person who agreed"),
    "device": _("The device is not there"),
    "device.full": _("The memory of the graphics card is full"),
    "disk.denied": _("Reading or writing there is not allowed"),
    "disk.full": _("The disk is full"),
    "disk.path": _("That path can't be used"),
    "embedding.dlib": _("dlib recognises instead of FaceNet"),
    "extract.at_edge": _("Faces at the edge of the frame"),
    "extract.bad_photo": _("A photo could not be read"),
    "extract.changed": _("Another file has taken an input's name"),
    "extract.few": _("Too few crops to train on"),
    "extract.input_without_face": _("No face was found in one of the inputs"),
    "extract.missing": _("An input is missing"),
    "extract.no_face": _("No face was found"),
    "extract.passed_over": _("Files in a folder were passed over"),
    "extract.settings": _("The set was begun with other settings"),
    "extract.some": _("Few crops"),
    "extract.two_people": _("The footage shows more than one person"),
    "faceset.damaged": _("The face set is damaged"),
    "faceset.format": _("The face set is of another version"),
    "faceset.missing": _("There is no such face set"),
    "faceset.picture": _("A picture of the face set is lost"),
    "faceset.unfinished": _("The extraction has not come to its end"),
    "folder.busy": _("Another process works in this folder"),
    "join.parts": _("The parts can't be joined"),
    "landmarks.dlib": _("dlib finds landmarks instead of FAN"),
    "marks.done": _("The result carries its marks"),
    "marks.missing": _("Without all marks nothing leaves the studio"),
    "memory.full": _("Not enough memory"),
    "output.busy": _("Another process writes this result"),
    "run.missing": _("There is no such training run"),
    "run.other_settings": _("The run was trained with other settings"),
    "runner.defect": _("The runner met a defect of its own"),
    "runner.late": _("The machine that worked on it stood still; the work went on without it"),
    "runner.lost": _("The machine that worked on it was lost"),
    "score.empty_set": _("A face set of the score is empty"),
    "score.no_face": _("No face is found in the result"),
    "score.size": _("Result and footage differ in size"),
    "sign.expired": _("The certificate for signing has expired"),
    "sign.failed": _("The result can't be signed"),
    "sign.mismatch": _("The key for signing is not the certificate's"),
    "sign.missing": _("The key or certificate for signing is missing"),
    "sign.not_yet_valid": _("The certificate for signing is not valid yet, or the clock is wrong"),
    "sign.unreadable": _("The key or certificate for signing can't be read"),
    "store.refused": _("The file store refuses"),
    "store.unreachable": _("The file store can't be reached"),
    "train.at_edge": _("Faces at the edge of the frame are left out"),
    "train.begin": _("Training begins"),
    "train.blurred": _("One person's faces are much softer than the other's"),
    "train.exchanged": _("A and B are exchanged"),
    "train.few": _("Few faces to learn from"),
    "train.leans": _("One person is learnt worse than the other"),
    "train.mask_collapsed": _("The mask has collapsed"),
    "train.mixed_embeddings": _("The set mixes embeddings of different networks"),
    "train.nan": _("The training diverged"),
    "train.no_landmarks": _("The set has crops without landmarks"),
    "train.profile": _("One person's faces are seen from the side only"),
    "train.poses": _("One person's faces lack poses that the other's have"),
    "train.small": _("The faces are small in the footage"),
    "train.no_perceptual": _("Training goes on without the perceptual loss"),
    "train.other_crops": _("Faces of somebody else are left out"),
    "train.other_people": _("The run was trained on other people"),
    "train.other_person": _("The face set shows another person than the one who agreed"),
    "team.disk": _("The team's disk space is used up"),
    "team.jobs": _("The team has too many jobs queued or running"),
    "team.member_jobs": _("The member has too many jobs queued or running"),
    "train.ranks": _("The batch can't be shared among the GPUs"),
    "train.same_set": _("A and B are the same set"),
    "train.set_changed": _("A face set has changed since the run began"),
    "train.too_few": _("Too few faces to learn from"),
    "train.warm_start": _("Starts from the weights of another run"),
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
"""Headlines; the sentence with the particulars stands beside them."""

ADVICE: dict[str, Words] = {
    "checkpoint.damaged": _("Use another snapshot of the run, or start a new training."),
    "checkpoint.preset": _("Choose the preset of the run whose weights are to be used, or start without them."),
    "checkpoint.version": _("Start a new training. The faces can be used again."),
    "device.full": _("Wait until the other programs on the graphics card are done, then retry."),
    "memory.full": _("Retry when less runs on the machine, or choose a preset of fewer pixels or a smaller batch."),
    "weights.damaged": _("Remove the file, then fetch the weights again on the weights page."),
    "weights.hash": _("Remove the file, then fetch the weights again on the weights page."),
    "train.profile": _("Add footage in which this person looks at the camera."),
    "train.blurred": _(
        "A swap can't be sharper than the faces it was learnt from. Add sharper footage of this person."
    ),
    "train.poses": _("The swap will be worst in these poses. Add footage in which this person turns the same way."),
    "train.small": _("Add footage in which the face is larger, or choose a preset of fewer pixels."),
    "train.few": _("Swaps get much better from 250 crops of a person on; 500 to 5,000 are best. More footage helps."),
    "train.leans": _(
        "Compare the number, sharpness and poses of both people's crops: the person who is learnt worse needs more of "
        "them, and more different ones."
    ),
    "train.mask_collapsed": _(
        "A swap along the mask would look like the person before it. Branch from an earlier snapshot, or cover the "
        "outlined face instead of the mask when converting."
    ),
    "train.no_perceptual": _(
        "The network for it is not installed; the weights page says where it comes from. Faces come out a little "
        "softer."
    ),
    "train.nan": _(
        "A loss was no number any more; nothing of that was kept. Retry goes on from the newest checkpoint. If it "
        "happens again, begin anew with a smaller preset."
    ),
    "convert.no_person": _(
        "See that the video is of the person under whom it was uploaded, and that the face is seen from the front "
        "somewhere."
    ),
    "convert.other_person": _(
        "Only the person in the recording of the consent is replaced. If it is that person, ask for a new consent with "
        "a clearer recording: the face from the front, in good light."
    ),
    "convert.other_model": _(
        "Look through the faces of both people, then start a new training. It learns from the people who agreed."
    ),
    "convert.unchecked": _("Convert the video again. The faces in it are then compared with the consents' recordings."),
    "convert.unverified": _(
        "Use footage in which the person's face is seen from the front somewhere, or ask for a new consent with a "
        "clearer recording."
    ),
    "extract.at_edge": _("Training leaves them out. Footage with the whole face in view gives more to learn from."),
    "extract.two_people": _(
        "A model that learns from two people draws neither. Open the faces, sort them by the distance to the typical "
        "face, and reject those of the other person."
    ),
    "train.exchanged": _("Give the run its face sets the way round that it was begun with, or begin a new run."),
    "train.other_people": _("Begin a new run. A run goes on only with the people that it has learned."),
    "train.at_edge": _(
        "Part of such a face lies outside the frame, where there is nothing to learn from. Footage with the whole face "
        "in view helps."
    ),
}
"""What to do about it, where that can be said in general."""


def advice(code: str) -> Words:
    """What to do about a message or an error; empty where nobody knows in general."""
    return ADVICE.get(code, "")


def message(code: str) -> Words:
    """The headline of a message's or an error's code; the code itself if there is none."""
    return MESSAGES.get(code, code)


def kind(name: str) -> Words:
    """What a kind of job does."""
    return KINDS.get(name, name)


def stage(name: str) -> Words:
    """What a stage is doing."""
    return STAGES.get(name, name)


def preview_of(kind: str) -> tuple[Words, Words]:
    """How a job's preview is called that it made at ``{iteration}``, and what it shows: of a training's, or a video's
    frame."""
    if kind == "train":
        return _("iteration {iteration}"), _("Preview at iteration {iteration}")
    return _("frame {iteration}"), _("Frame {iteration} as it was converted")


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

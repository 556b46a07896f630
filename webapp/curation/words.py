"""What the room's script says, and the names of measures and orders."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_lazy

MEASURES = {
    "suspicion": gettext_lazy("suspicion"),
    "sharpness": gettext_lazy("sharpness"),
    "brightness": gettext_lazy("brightness"),
    "face_size": gettext_lazy("size of the face"),
    "outside": gettext_lazy("share of the face outside the frame"),
    "yaw": gettext_lazy("turned left or right"),
    "pitch": gettext_lazy("up or down"),
    "roll": gettext_lazy("tilted"),
    "score": gettext_lazy("certainty of the detector"),
    "distance": gettext_lazy("distance to the typical face"),
}
SORTS = {
    "number": gettext_lazy("as extracted"),
    "time": gettext_lazy("time in the video"),
    "near_duplicates": gettext_lazy("near duplicates together"),
    **MEASURES,
}

WARNED = ("extract.at_edge", "extract.two_people")
"""Codes of what an extraction says of a set that whoever looks through its crops must know."""


def texts() -> dict[str, str]:
    """Sentences for the script, in the reader's language; ``{…}`` is filled in by the script."""
    return {
        "keep": gettext("keep"),
        "reject": gettext("reject"),
        "new": gettext("not reviewed"),
        "kept": gettext("kept"),
        "rejected": gettext("rejected"),
        "disputed": gettext("disputed"),
        "unsure": gettext("may be somebody else"),
        "other": gettext("somebody else"),
        "tile": gettext("Crop {number}, {state}"),
        "mine": gettext("you: {verdict}"),
        "shown": gettext("{loaded} of {total} loaded"),
        "selected": gettext("{count} selected"),
        "keep.done": gettext("{count} kept"),
        "reject.done": gettext("{count} rejected"),
        "clear.done": gettext("{count} cleared"),
        "undo.done": gettext("Undone: {count} crops are as they were"),
        "undo.nothing": gettext("There is nothing left to undo."),
        "settle.done": gettext("{count} settled"),
        "best.done": gettext("{count} crops judged; Ctrl+Z takes it back"),
        "stale": gettext("Others have judged meanwhile: {count} crops match now. Nothing was changed; look again."),
        "failed": gettext("That was not saved. Check the connection and try again."),
        "refused": gettext("You may not do that here."),
        "lost": gettext("Connection lost, retrying …"),
        "unsaved": gettext("Connection lost. {count} decisions are kept here and sent once it is back."),
        "signed.out": gettext("You are signed out. Sign in in another tab; {count} decisions are kept here."),
        "cursor.away": gettext("The marked face was out of sight. It is shown now; nothing was changed."),
        "alone": gettext("Nobody else is here."),
        "others": gettext("Also here: {people}"),
        "slice": gettext("{count} crops are yours for ten minutes"),
        "slice.none": gettext("Nothing is left that nobody looks at."),
        "none": gettext("Nothing matches."),
        "reviewed": gettext("Everything shown is reviewed."),
        "alike": gettext("Crops that look most like crop {number}"),
        "unlike": gettext("Likeness can't be measured here."),
        "lowest": gettext("{measure}, at least"),
        "highest": gettext("{measure}, at most"),
        "verdict.by": gettext("{person}: {verdict}"),
        "frame.none": gettext("The frame is not there any more; this is the crop."),
        "frame": gettext("{input}, frame {frame}"),
        "all.inputs": gettext("all videos and photos"),
    }

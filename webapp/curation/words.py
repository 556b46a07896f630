"""What the room's script says, and the names of measures and orders."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_lazy

MEASURES = {
    "suspicion": gettext_lazy("outlier score"),
    "sharpness": gettext_lazy("sharpness"),
    "brightness": gettext_lazy("brightness"),
    "face_size": gettext_lazy("face size"),
    "outside": gettext_lazy("share of the face outside the frame"),
    "yaw": gettext_lazy("yaw (left or right)"),
    "pitch": gettext_lazy("pitch (up or down)"),
    "roll": gettext_lazy("roll (tilt)"),
    "score": gettext_lazy("detector confidence"),
    "distance": gettext_lazy("distance to the typical face"),
}
SORTS = {
    "number": gettext_lazy("extraction order"),
    "time": gettext_lazy("time in the video"),
    "near_duplicates": gettext_lazy("near duplicates"),
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
        "unsure": gettext("may be another person"),
        "other": gettext("another person"),
        "tile": gettext("Crop {number}, {state}"),
        "mine": gettext("you: {verdict}"),
        "shown": gettext("{loaded} of {total} loaded"),
        "selected": gettext("{count} selected"),
        "keep.done": gettext("{count} kept"),
        "reject.done": gettext("{count} rejected"),
        "clear.done": gettext("{count} cleared"),
        "undo.done": gettext("Undone: {count} crops restored"),
        "undo.nothing": gettext("There is nothing to undo."),
        "settle.done": gettext("Final decision updated for {count} crops"),
        "best.done": gettext("{count} crops judged. Press Ctrl+Z to undo."),
        "stale": gettext(
            "Other reviewers gave verdicts in the meantime: {count} crops match now. Nothing was "
            "changed. Check the selection and try again."
        ),
        "failed": gettext("This was not saved. Check your connection and try again."),
        "refused": gettext("Your role doesn't allow this. Ask an owner of the team."),
        "lost": gettext("Connection lost, retrying …"),
        "unsaved": gettext(
            "Connection lost. {count} verdicts are kept on this page and sent when the connection is back."
        ),
        "signed.out": gettext(
            "You are signed out. Sign in in another tab. {count} verdicts are kept on this page until then."
        ),
        "cursor.away": gettext("The current face was out of view. It is shown now. Nothing was changed."),
        "alone": gettext("No other reviewer is here."),
        "others": gettext("Also reviewing: {people}"),
        "slice": gettext("{count} crops are assigned to you for ten minutes"),
        "slice.none": gettext("No unassigned crops are left."),
        "none": gettext("No crops match."),
        "reviewed": gettext("All crops shown are reviewed."),
        "alike": gettext("Crops most similar to crop {number}"),
        "unlike": gettext("Similarity can't be measured for these faces."),
        "lowest": gettext("{measure}, minimum"),
        "highest": gettext("{measure}, maximum"),
        "verdict.by": gettext("{person}: {verdict}"),
        "frame.none": gettext("The frame is no longer available. This is the crop."),
        "frame": gettext("{input}, frame {frame}"),
        "all.inputs": gettext("all videos and photos"),
    }

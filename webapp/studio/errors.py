"""What the studio refuses to begin, and why."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Promise] = {
    "faces.no_footage": _("There is no footage of this person yet. Upload a video or photos first."),
    "faces.busy": _("The faces of this person are already being extracted. Wait until that is done."),
    "faces.comparing": _(
        "The faces of this person are being compared with the new consent recording. Try again when that is done."
    ),
    "faces.nothing_new": _(
        "Faces have already been extracted from all footage of this person. Upload more footage first."
    ),
    "run.no_faces": _("One of the two people has no faces yet. Extract them first."),
    "run.few_faces": _(
        "One of the two people has too few faces. Training needs at least 25 usable faces of each "
        "person. Upload more footage."
    ),
    "run.other_person": _("Most faces of one of the two people show another person. Review them first."),
    "run.same_person": _(
        "The footage of both people shows the same person. Delete the footage that was uploaded for the wrong person."
    ),
    "run.no_checkpoint": _("The checkpoint of this snapshot was not kept. Choose another snapshot."),
    "run.busy": _("The training has not ended yet. Wait until it ends."),
    "run.long_enough": _("The training has already reached this iteration. Enter a larger number."),
    "convert.no_model": _("The training has no checkpoint yet. Wait for the first one."),
    "convert.no_video": _("This file can't be converted. Choose a video."),
    "score.no_result": _("The conversion has no result yet. Score it when it is done."),
    "score.side_by_side": _(
        "Only videos that show the result alone can be scored. "
        "Convert the video again and set the output to “result only”."
    ),
    "score.no_original": _(
        "The conversion can't be scored: the original video was deleted, or the target person has no faces."
    ),
    "removal.busy": _("A job of this item is still queued or running. Cancel it on the Jobs page first."),
    "removal.gone": _("This item has already been deleted."),
    "score.busy": _("This conversion is already being scored."),
}


class StudioError(Exception):
    """Something can't be begun as things are. ``code`` is stable; :data:`REASONS` has the sentences."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        return str(REASONS[self.code])

"""What the studio refuses to begin, and why."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Promise] = {
    "faces.no_footage": _("There is no footage of this person yet. Upload a video or photos first."),
    "faces.busy": _("Faces of this person are being extracted just now."),
    "faces.comparing": _("Faces of this person are being compared with the person's new recording just now."),
    "faces.nothing_new": _("All footage of this person has been extracted already."),
    "run.no_faces": _("One of the two people has no faces yet. Extract them first."),
    "run.few_faces": _("One of the two people has too few faces: training needs 25 that nobody rejected."),
    "run.other_person": _("Most faces of one of the two people are somebody else. Look through them first."),
    "run.same_person": _("The footage of both people shows the same person. One of them got the other's footage."),
    "run.no_checkpoint": _("This snapshot's checkpoint was not kept. Choose another one."),
    "run.busy": _("The training is not over yet."),
    "run.long_enough": _("It has had that many iterations already. Give a larger number."),
    "convert.no_model": _("The run has no checkpoint yet. Wait until it has made one."),
    "convert.no_video": _("That is no video that could be converted."),
    "score.no_result": _("The conversion has not ended well yet; there is nothing to score."),
    "score.side_by_side": _("Only a conversion that shows nothing but the result can be scored."),
    "score.no_original": _("The video before the swap was deleted, or the wanted person has no faces."),
    "removal.busy": _("Something of it is still at work. Cancel that first, under Jobs."),
    "removal.gone": _("It was deleted meanwhile."),
    "score.busy": _("The score is being worked out already."),
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

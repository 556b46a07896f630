"""The kind of job that trains a model which swaps two people."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from faceengine.jobs.kinds import Shows, register
from faceengine.jobs.presentation import Caption, Presentation, Storage, Words
from webapp.consent.gate import Act
from webapp.studio import results
from webapp.studio.kinds.common import studio_kind

_MESSAGES: dict[str, Words] = {
    "run.other_settings": _("The run was trained with other settings"),
    "train.at_edge": _("Faces at the edge of the frame are left out"),
    "train.base": _("Starts from the base model, which has learned faces from synthetic people"),
    "train.begin": _("Training begins"),
    "train.blurred": _("One person's faces are much softer than the other's"),
    "train.exchanged": _("A and B are exchanged"),
    "train.few": _("Few faces to learn from"),
    "train.leans": _("One person is learnt worse than the other"),
    "train.mask_collapsed": _("The mask has collapsed"),
    "train.mixed_embeddings": _("The set mixes embeddings of different networks"),
    "train.nan": _("The training diverged"),
    "train.no_base": _("Starts from random weights: there is no base model for this shape of networks"),
    "train.no_landmarks": _("The set has crops without landmarks"),
    "train.no_perceptual": _("Training goes on without the perceptual loss"),
    "train.other_crops": _("Faces of somebody else are left out"),
    "train.other_people": _("The run was trained on other people"),
    "train.other_person": _("The face set shows another person than the one who agreed"),
    "train.poses": _("One person's faces lack poses that the other's have"),
    "train.profile": _("One person's faces are seen from the side only"),
    "train.ranks": _("The batch can't be shared among the GPUs"),
    "train.same_set": _("A and B are the same set"),
    "train.set_changed": _("A face set has changed since the run began"),
    "train.small": _("The faces are small in the footage"),
    "train.too_few": _("Too few faces to learn from"),
    "train.warm_start": _("Starts from the weights of another run"),
}
_ADVICE: dict[str, Words] = {
    "train.at_edge": _(
        "Part of such a face lies outside the frame, where there is nothing to learn from. Footage with the whole face "
        "in view helps."
    ),
    "train.blurred": _(
        "A swap can't be sharper than the faces it was learnt from. Add sharper footage of this person."
    ),
    "train.exchanged": _("Give the run its face sets the way round that it was begun with, or begin a new run."),
    "train.few": _("Swaps get much better from 250 crops of a person on; 500 to 5,000 are best. More footage helps."),
    "train.leans": _(
        "Compare the number, sharpness and poses of both people's crops: the person who is learnt worse needs more of "
        "them, and more different ones."
    ),
    "train.mask_collapsed": _(
        "A swap along the mask would look like the person before it. Branch from an earlier snapshot, or cover the "
        "outlined face instead of the mask when converting."
    ),
    "train.nan": _(
        "A loss was no number any more; nothing of that was kept. Retry goes on from the newest checkpoint. If it "
        "happens again, begin anew with a smaller preset."
    ),
    "train.no_perceptual": _(
        "The network for it is not installed; the weights page says where it comes from. Faces come out a little "
        "softer."
    ),
    "train.other_people": _("Begin a new run. A run goes on only with the people that it has learned."),
    "train.poses": _("The swap will be worst in these poses. Add footage in which this person turns the same way."),
    "train.profile": _("Add footage in which this person looks at the camera."),
    "train.small": _("Add footage in which the face is larger, or choose a preset of fewer pixels."),
}
_PRESENTATION = Presentation(
    label=_("Train"),
    stages={"train": _("training")},
    caption=Caption(_("iteration {iteration}"), _("Preview at iteration {iteration}")),
    losses=True,
    messages=_MESSAGES,
    advice=_ADVICE,
    audit={
        "run.started": _("started the training {name}"),
        "run.extended": _("let the training {name} go on"),
        "run.deleted": _("deleted the training {name}"),
    },
    storage=Storage("runs", _("Runs, with their checkpoints and previews")),
)


def register_kinds() -> None:
    """Register ``train``."""
    register(
        studio_kind(
            "train",
            "faceengine.training.train.run",
            "faceengine.training.config.TrainConfig",
            Act.TRAIN,
            presentation=_PRESENTATION,
            shows=Shows.SWAPPED,
            compared=True,
            on_event=results.training_told,
            processes=settings.TRAIN_PROCESSES,
        )
    )

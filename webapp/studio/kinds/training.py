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
    "run.other_settings": _("The training was started with other settings"),
    "train.at_edge": _("Faces at the edge of the frame are skipped"),
    "train.base": _("Training starts from the base model, which was trained on synthetic people"),
    "train.begin": _("Training started"),
    "train.blurred": _("One person's faces are much less sharp than the other's"),
    "train.exchanged": _("The face sets of A and B are in the wrong order"),
    "train.few": _("Few faces for training"),
    "train.leans": _("One person is learned less well than the other"),
    "train.mask_collapsed": _("The mask has collapsed"),
    "train.mixed_embeddings": _("The face set mixes embeddings of different networks"),
    "train.nan": _("The training diverged"),
    "train.no_base": _("Training starts from random weights: there is no base model for this architecture"),
    "train.no_landmarks": _("The face set has crops without landmarks"),
    "train.no_perceptual": _("Training continues without the perceptual loss"),
    "train.other_crops": _("Faces of other people are skipped"),
    "train.other_people": _("The training was started with other people"),
    "train.other_person": _("The face set doesn't show the person who gave consent"),
    "train.poses": _("One person's faces lack head poses that the other's have"),
    "train.profile": _("One person's faces are only seen from the side"),
    "train.ranks": _("The batch can't be split evenly among the GPUs"),
    "train.same_set": _("A and B are the same face set"),
    "train.set_changed": _("A face set has changed since the training started"),
    "train.small": _("The faces are small in the footage"),
    "train.too_few": _("Too few faces for training"),
    "train.warm_start": _("Training starts from the weights of another training"),
}
_ADVICE: dict[str, Words] = {
    "train.at_edge": _(
        "Part of these faces is outside the frame, so they are not used. Footage that shows the whole face helps."
    ),
    "train.blurred": _("A swap can't be sharper than the faces it was trained on. Add sharper footage of this person."),
    "train.exchanged": _("Use the face sets in the order in which the training was started, or start a new training."),
    "train.few": _(
        "Swaps improve a lot with at least 250 crops of each person; 500 to 5,000 are best. Add more footage."
    ),
    "train.leans": _(
        "Compare the number, sharpness and poses of both people's crops. The person who is learned "
        "less well needs more crops, and more varied ones."
    ),
    "train.mask_collapsed": _(
        "A swap along the mask would look like the original person. Branch from an earlier snapshot, "
        "or convert with the face outline as the covered area."
    ),
    "train.nan": _(
        "A loss was no longer a finite number. This state was not saved. Retry the job to continue "
        "from the latest checkpoint. If it happens again, start a new training with a smaller preset."
    ),
    "train.no_perceptual": _(
        "The network for this loss is not installed. The Networks page shows its source. Without it, "
        "faces are slightly softer."
    ),
    "train.other_people": _("Start a new training. A training can only continue with the people it was started with."),
    "train.poses": _(
        "Swaps will be worst in these poses. Add footage in which this person turns their head in the same directions."
    ),
    "train.profile": _("Add footage in which this person looks at the camera."),
    "train.small": _("Add footage in which the face is larger, or choose a preset with fewer pixels."),
}
_PRESENTATION = Presentation(
    label=_("Train model"),
    stages={"train": _("training")},
    caption=Caption(_("iteration {iteration}"), _("Preview at iteration {iteration}")),
    losses=True,
    messages=_MESSAGES,
    advice=_ADVICE,
    audit={
        "run.started": _("started the training {name}"),
        "run.extended": _("continued the training {name}"),
        "run.deleted": _("deleted the training {name}"),
    },
    storage=Storage("runs", _("Trainings with checkpoints and previews")),
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

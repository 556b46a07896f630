"""The settings that forms offer, in words, and what a score's numbers mean."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from faceengine.conversion.config import ConvertConfig

FIELDS: dict[str, tuple[Promise, Promise | str]] = {
    # Extraction
    "every": (_("every Nth frame"), _("6 is plenty for a video of a minute or more; 1 takes every frame.")),
    "size": (_("side of the crops"), _("In pixels; 512 for models of 256 pixels.")),
    # Training
    "preset": (_("preset"), _("How large the model is and how it learns.")),
    "minutes": (_("minutes"), _("The training fits itself into this time. Empty: as long as the preset says.")),
    "iterations": (_("iterations"), _("Instead of minutes. How long they take is known once the run has begun.")),
    "base": (_("start from"), _("The base model has learned faces from synthetic people; not every preset has one.")),
    "octave": (_("share of octave channels"), _("Channels at half resolution: quicker, a little softer.")),
    "batch": (_("batch"), _("Crops of each person in one iteration.")),
    "cycle": (_("cycle consistency"), _("Weight of A→B→A; 0 is off, CycleGAN has 10.")),
    "seed": (_("seed"), _("The same seed and faces give the same model on the same machine.")),
    "preview_every": (_("iterations between previews"), ""),
    "checkpoint_every": (_("iterations between checkpoints"), ""),
    "keep_every": (
        _("keep checkpoints of every Nth iteration"),
        _("To branch from them later: 1,000 or more. 0 keeps only the newest and the best."),
    ),
    # Conversion
    "blend": (_("blending"), _("How the new face is put into the frame.")),
    "color": (_("colours"), _("How the new face's colours are matched to the frame's.")),
    "layout": (_("shows"), _("Only a video that shows nothing but the result can be compared and scored.")),
    "cover": (_("covered part"), _("Which part of the face is replaced.")),
    "smoothing": (_("steadiness"), _("0 to 1: how much the face is kept from trembling.")),
    "sharpen": (_("sharpening"), _("The most that is allowed, 0 to 1. The face never gets sharper than the video.")),
    "erode": (_("mask drawn back by"), _("As a share of the crop.")),
    "feather": (_("softness of the mask's edge"), _("As a share of the crop.")),
    "label": (_("label"), _("Seen in every frame: the law wants that people are told.")),
    "label_place": (_("place of the label"), _("Automatic: clear of the faces, and in one place within a shot.")),
    "crf": (_("quality of the video"), _("10 to 40; 18 looks lossless, larger numbers make smaller files.")),
}
"""Label and help of a config's field."""

CHOICES: dict[str, Promise | str] = {
    "base.True": _("the base model"),
    "base.False": _("random weights"),
    "quick": _("Quick, 128 pixels: about 15 minutes without a GPU"),
    "standard": _("Standard, 128 pixels: about an hour on a GPU, or a night without one"),
    "fine": _("Fine, 256 pixels: several hours on a GPU"),
    "lite-64": _("faceswap-GAN lite, 64 pixels"),
    "standard-64": _("faceswap-GAN, 64 pixels"),
    "standard-128": _("faceswap-GAN, 128 pixels: needs a good GPU"),
    "standard-256": _("faceswap-GAN, 256 pixels: needs a large GPU and much time"),
    "tiny": _("Tiny: seconds long, to try everything out; draws mush"),
    "direct": _("the whole crop"),
    "mask": _("along the mask"),
    "poisson": _("Poisson: seamless light, slower"),
    "none": _("as they are"),
    "mean": _("by mean and spread"),
    "lab": _("by mean and spread in Lab"),
    "histogram": _("by histogram"),
    "result": _("the result"),
    "pair": _("before and after side by side"),
    "triple": _("before, after and the mask"),
    "both": _("where both masks agree"),
    "alpha": _("the model's mask"),
    "face": _("the outlined face"),
    "label.both": _("AI换脸 and AI MODIFIED"),
    "label.en": "AI MODIFIED",
    "label.zh": "AI换脸",
    "label_place.auto": _("automatic: a corner away from the faces"),
    "bottom-right": _("at the bottom right"),
    "bottom-left": _("at the bottom left"),
    "bottom": _("at the bottom"),
    "top-right": _("at the top right"),
    "top-left": _("at the top left"),
    "top": _("at the top"),
}
"""What a choice is called; ``field.choice`` where the same word means something else in another field."""


def choice(name: str, value: Any) -> str:
    """What a field's value is called."""
    return str(CHOICES.get(f"{name}.{value}", CHOICES.get(str(value), value)))


def swap_settings(config: dict[str, Any]) -> list[str]:
    """How a :class:`ConvertConfig` has faces put in: blending and colours, and what else is not as usual."""
    usual = {option.name: option.default for option in fields(ConvertConfig)}
    others = [name for name in ("cover", "smoothing", "sharpen", "erode", "feather") if config[name] != usual[name]]
    shown = [choice(name, config[name]) for name in ("blend", "color")]
    return shown + [f"{FIELDS[name][0]}: {choice(name, config[name])}" for name in others]


READINGS: dict[str, Promise] = {
    "same": _("The network takes it for the wanted person."),
    "unsure": _("The network is not sure whether it is the wanted person."),
    "different": _("The network takes it for somebody else."),
}
MEASURES: dict[str, tuple[Promise, Promise]] = {
    "swapped_share": (_("Frames in which the face was replaced"), _("Of those that have a face.")),
    "found_share": (_("Frames in which the result still has a face"), _("Less than all: the face falls apart.")),
    "pose_error": (_("Error of the pose"), _("In degrees; up to about 4 is as good as a perfect swap measures.")),
    "expression_error": (_("Error of the expression"), _("In eye distances; a perfect swap measures about 0.03.")),
    "detail": (_("Fine detail kept"), _("Of the footage's own, inside the face; below 60 % a face looks soft.")),
    "detail_wanted": (_("Fine detail against the target person"), _("Of what their own faces show.")),
    "mouth": (_("Mouth follows"), _("Correlation of its opening with the footage: 1 follows exactly.")),
    "lids": (_("Eyelids follow"), _("Correlation of their opening with the footage: 1 follows exactly.")),
    "gaze": (_("Gaze follows"), _("Correlation of the irises' place with the footage: 1 follows exactly.")),
    "flicker": (_("Flicker"), _("Levels by which the new face changes from frame to frame on its own.")),
    "blotches": (_("Frames with wrong colours"), _("Spots of a colour that neither person has; none is right.")),
    "jitter": (_("Jitter"), _("In eye distances; a perfect swap measures about 0.03.")),
    "seam": (_("Seam"), _("Levels a pixel along the edge: 0 is invisible, below 0 smoother than before.")),
}
"""Name of a report's number, and what it means."""

REASONS: dict[str, tuple[Promise, bool]] = {
    "wanted.few": (_("The wanted person's set has {crops} usable crops; swaps get better from 250 on."), False),
    "wanted.poses": (_("The footage has poses that the wanted person's faces lack: add footage with them."), True),
    "wanted.blurred": (
        _("The wanted person's faces are less than half as sharp as the footage: add sharper ones."),
        False,
    ),
    "result.blurred": (
        _("The swapped face keeps {detail} of the footage's fine detail. Train longer, or use a larger preset."),
        False,
    ),
    "result.blotches": (
        _(
            "{blotches} of the swapped frames have spots of a wrong colour. Add footage of the target person with the "
            "expressions and poses of this video."
        ),
        False,
    ),
    "result.mouth": (_("The mouth hardly follows the footage. Train longer."), False),
    "result.lids": (_("The eyelids hardly follow the footage. Train longer."), False),
    "result.gaze": (_("The gaze hardly follows the footage. Train longer."), False),
    "network.blind": (
        _("{network} hardly tells these two people apart: no swap is at {floor}, the wanted person at {ceiling}."),
        False,
    ),
    "result.unswapped": (_("The face differs from the footage in no frame: nothing was swapped."), False),
    "result.partly": (_("Only {swapped} of the frames with a face were swapped; the similarity is of those."), False),
    "result.lost": (_("In {lost} of the frames no face is found any more where one was."), False),
}
"""A reason's sentence by its code, and whether the engine's own has more to say."""


SOFT = 0.6
"""Share of the footage's detail below which a result is called soft, as the engine's grade has it."""


def verdict(position: float | None, detail: float | None = None) -> str:
    """Sum up a result in a sentence: how like the target person, and whether it is too soft to show."""
    if position is not None and detail is not None and detail < SOFT:
        soft = _("The face is soft: it keeps {detail} of the footage's fine detail.").format(detail=f"{detail:.0%}")
        return f"{soft} {_likeness(position)}"
    return _likeness(position)


def _likeness(position: float | None) -> str:
    """What a place between floor and ceiling means."""
    if position is None:
        return str(_("How like the wanted person it is can't be known: no face was found."))
    if position >= 0.85:
        return str(_("By number, this is hardly to be told from the wanted person."))
    if position >= 0.5:
        return str(_("More like the wanted person than like the one before the swap."))
    if position >= 0.15:
        return str(_("Something of the wanted person is there, but more of the one before the swap."))
    return str(_("By number, this is still the person before the swap."))


def difference(gap: float) -> str:
    """What it means that A becoming B is so much further on the way from floor to ceiling than B becoming A."""
    if abs(gap) < 0.1:
        return str(_("Both directions are about equally good."))
    better = (
        _("A becoming B is better, by {gap} of the way.")
        if gap > 0
        else _("B becoming A is better, by {gap} of the way.")
    )
    return str(better).format(gap=f"{abs(gap):.2f}")

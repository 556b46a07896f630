"""The settings that forms offer, in words, and what a score's numbers mean."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from faceengine.conversion.config import ConvertConfig
from webapp.studio.swaps import Swap

FIELDS: dict[str, tuple[Promise, Promise | str]] = {
    # Extraction
    "every": (_("every Nth frame"), _("6 is enough for a video of a minute or more; 1 uses every frame.")),
    "size": (_("crop size"), _("In pixels. Use 512 for models of 256 pixels.")),
    # Training
    "preset": (_("preset"), _("The size of the model and how it is trained.")),
    "minutes": (_("minutes"), _("The training adapts to this time. Leave empty to use the preset's duration.")),
    "iterations": (_("iterations"), _("Instead of minutes. The duration is shown once the training runs.")),
    "base": (_("start from"), _("The base model was trained on synthetic people. Not every preset has one.")),
    "octave": (_("share of octave channels"), _("Channels at half resolution: faster, slightly softer.")),
    "batch": (_("batch size"), _("Crops of each person per iteration.")),
    "cycle": (_("cycle consistency"), _("Weight of the A→B→A loss. 0 turns it off; CycleGAN uses 10.")),
    "seed": (_("seed"), _("The same seed and faces give the same model on the same machine.")),
    "preview_every": (_("iterations between previews"), ""),
    "checkpoint_every": (_("iterations between checkpoints"), ""),
    "keep_every": (
        _("keep a checkpoint every N iterations"),
        _("To branch from them later. 1,000 or more; 0 keeps only the latest and the best."),
    ),
    # Conversion
    "blend": (_("blending"), _("How the new face is blended into the frame.")),
    "color": (_("colour matching"), _("How the colours of the new face are matched to the frame.")),
    "layout": (_("output"), _("Only videos that show the result alone can be compared and scored.")),
    "cover": (_("covered area"), _("The part of the face that is replaced.")),
    "smoothing": (_("smoothing"), _("0 to 1: how strongly jitter is reduced.")),
    "sharpen": (_("sharpening"), _("The maximum, 0 to 1. The face never gets sharper than the video.")),
    "erode": (_("mask erosion"), _("As a share of the crop size.")),
    "feather": (_("mask feathering"), _("As a share of the crop size.")),
    "label": (_("label"), _("Visible in every frame. The law requires it.")),
    "label_place": (_("label position"), _("Automatic: away from the faces, and in the same place within a shot.")),
    "crf": (_("video quality (CRF)"), _("10 to 40. 18 looks lossless; larger numbers make smaller files.")),
}
"""Label and help of a config's field."""

CHOICES: dict[str, Promise | str] = {
    "base.True": _("base model"),
    "base.False": _("random weights"),
    "quick": _("Quick, 128 pixels: about 15 minutes without a GPU"),
    "standard": _("Standard, 128 pixels: about an hour on a GPU, or overnight without one"),
    "fine": _("Fine, 256 pixels: several hours on a GPU"),
    "lite-64": _("faceswap-GAN lite, 64 pixels"),
    "standard-64": _("faceswap-GAN, 64 pixels"),
    "standard-128": _("faceswap-GAN, 128 pixels: needs a good GPU"),
    "standard-256": _("faceswap-GAN, 256 pixels: needs a large GPU and a lot of time"),
    "tiny": _("Smoke test: takes seconds, not usable"),
    "direct": _("whole crop"),
    "mask": _("along the mask"),
    "poisson": _("Poisson: seamless lighting, slower"),
    "none": _("none (colours unchanged)"),
    "mean": _("mean and standard deviation"),
    "lab": _("mean and standard deviation in Lab"),
    "histogram": _("histogram"),
    "result": _("result only"),
    "pair": _("before and after side by side"),
    "triple": _("before, after and mask"),
    "both": _("intersection of both masks"),
    "alpha": _("mask of the model"),
    "face": _("face outline"),
    "label.both": _("AI换脸 and AI MODIFIED"),
    "label.en": "AI MODIFIED",
    "label.zh": "AI换脸",
    "label_place.auto": _("automatic: a corner away from faces"),
    "bottom-right": _("bottom right"),
    "bottom-left": _("bottom left"),
    "bottom": _("bottom centre"),
    "top-right": _("top right"),
    "top-left": _("top left"),
    "top": _("top centre"),
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
    "same": _("Face recognition would confirm that this is {wanted}."),
    "unsure": _("Face recognition would not confirm that this is {wanted}."),
    "different": _("Face recognition would say that this is not {wanted}."),
}
MEASURES: dict[str, tuple[Promise, Promise]] = {
    "swapped_share": (_("Frames with a replaced face"), _("As a share of the frames with a face.")),
    "found_share": (_("Frames with a face in the result"), _("Below 100 %: the face falls apart in some frames.")),
    "pose_error": (_("Pose error"), _("In degrees. A perfect swap measures up to about 4.")),
    "expression_error": (_("Expression error"), _("In eye distances. A perfect swap measures about 0.03.")),
    "detail": (
        _("Fine detail kept"),
        _("Compared with the original video, inside the face. Below 60 %, a face looks soft."),
    ),
    "detail_wanted": (_("Fine detail compared with the target person"), _("Compared with the target person's faces.")),
    "mouth": (_("Mouth movement"), _("Correlation of the mouth opening with the original video. 1 is exact.")),
    "lids": (_("Eyelid movement"), _("Correlation of the eye opening with the original video. 1 is exact.")),
    "gaze": (_("Gaze"), _("Correlation of the iris position with the original video. 1 is exact.")),
    "flicker": (
        _("Flicker"),
        _("Changes of the new face between frames that the original video doesn't have, in grey levels."),
    ),
    "blotches": (_("Frames with wrong colours"), _("Spots of a colour that neither person has. Should be 0 %.")),
    "jitter": (_("Jitter"), _("In eye distances. A perfect swap measures about 0.03.")),
    "seam": (
        _("Seam"),
        _("Grey levels per pixel along the edge. 0 is invisible; below 0 is smoother than the original video."),
    ),
}
"""Name of a report's number, and what it means."""

REASONS: dict[str, tuple[Promise, bool]] = {
    "wanted.few": (_("There are only {crops} usable crops of {wanted}. Swaps improve with at least 250."), False),
    "wanted.poses": (
        _("The video has head poses that the faces of {wanted} lack. Add footage of {wanted} in these poses."),
        True,
    ),
    "wanted.blurred": (
        _("The faces of {wanted} are less than half as sharp as the video. Add sharper footage of {wanted}."),
        False,
    ),
    "result.blurred": (
        _("The swapped face keeps {detail} of the original video's fine detail. Train longer, or use a larger preset."),
        False,
    ),
    "result.blotches": (
        _(
            "{blotches} of the swapped frames have spots of a wrong colour. Add footage of {wanted} with "
            "the expressions and poses of this video."
        ),
        False,
    ),
    "result.mouth": (_("The mouth hardly follows the original video. Train longer."), False),
    "result.lids": (_("The eyelids hardly follow the original video. Train longer."), False),
    "result.gaze": (_("The gaze hardly follows the original video. Train longer."), False),
    "network.blind": (
        _(
            "{network} can hardly tell these two people apart: the similarity is {floor} without a swap, "
            "and {ceiling} for {wanted}."
        ),
        False,
    ),
    "result.unswapped": (
        _("The face is the same as in the original video in every frame: nothing was swapped."),
        False,
    ),
    "result.partly": (
        _("Only {swapped} of the frames with a face were swapped. The similarity is measured on these frames only."),
        False,
    ),
    "result.lost": (_("In {lost} of the frames with a face, no face was found in the result."), False),
}
"""A reason's sentence by its code, and whether the engine's own has more to say."""


SOFT = 0.6
"""Share of the footage's detail below which a result is called soft, as the engine's grade has it."""


def percent(value: float) -> str:
    """Return a share as a percentage without decimals."""
    return f"{100 * value:.0f} %"


def verdict(position: float | None, detail: float | None = None, swap: Swap | None = None) -> str:
    """Sum up a result in a sentence: how like the target person, and whether it is too soft to show."""
    likeness = _likeness(position).format(**names_of(swap or Swap()))
    if position is not None and detail is not None and detail < SOFT:
        soft = _("The face is soft: it keeps {detail} of the original video's fine detail.")
        return f"{str(soft).format(detail=percent(detail))} {likeness}"
    return likeness


def names_of(swap: Swap) -> dict[str, str]:
    """Return the names for the sentences of this module."""
    return {"original": str(swap.original), "wanted": str(swap.wanted)}


def _likeness(position: float | None) -> str:
    """Return the sentence for a position between floor and ceiling."""
    if position is None:
        return str(_("No face was found, so the similarity to {wanted} is unknown."))
    if position >= 0.85:
        return str(_("By the numbers, the result can hardly be told apart from {wanted}."))
    if position >= 0.5:
        return str(_("The result is more like {wanted} than like {original}."))
    if position >= 0.15:
        return str(_("The result is a little like {wanted}, but more like {original}."))
    return str(_("By the numbers, the result is still {original}."))


def difference(gap: float, swap: Swap, other: Swap) -> str:
    """Compare the two directions; ``gap`` is the position of ``swap`` minus that of ``other``."""
    if abs(gap) < 0.1:
        return str(_("Both directions are about equally good."))
    better = str(_("“{direction}” is better by {gap} percentage points."))
    return better.format(gap=f"{100 * abs(gap):.0f}", direction=(swap if gap > 0 else other).words)

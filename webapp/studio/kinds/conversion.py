"""The kinds of jobs that replace a face: a whole video, a part of one, and one frame to look at."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from faceengine.jobs.kinds import Kind, Makes, Shows, Split, register
from faceengine.jobs.presentation import Caption, Presentation, Storage, Words
from webapp.consent.gate import Act
from webapp.provenance import signing
from webapp.studio.kinds.common import studio_kind

_MESSAGES: dict[str, Words] = {
    "convert.no_person": _("The person was not found in the video"),
    "convert.other_model": _("The model was not trained on the person who gave consent"),
    "convert.other_person": _("The face is not that of the person who gave consent"),
    "convert.person": _("The face set can't be used to recognise the person"),
    "convert.range": _("The video doesn't contain the requested frames"),
    "convert.reference": _("The consent recordings have changed in the meantime"),
    "convert.same_file": _("The result would overwrite the input video"),
    "convert.unchecked": _("The faces in the result were never compared with the people who gave consent"),
    "convert.unverified": _("The replaced face could not be confirmed as that of the person who gave consent"),
    "join.parts": _("The segments can't be joined"),
}
_ADVICE: dict[str, Words] = {
    "convert.no_person": _(
        "Check that the video was uploaded for the right person, and that it shows the face from the "
        "front at least once."
    ),
    "convert.other_model": _(
        "Review the faces of both people, then start a new training. It uses only the people who gave consent."
    ),
    "convert.other_person": _(
        "Only the face of the person in the consent recording is replaced. If this is that person, "
        "ask for a new consent with a clearer recording: the face from the front, in good light."
    ),
    "convert.unchecked": _("Convert the video again. Its faces are then compared with the consent recordings."),
    "convert.unverified": _(
        "Use footage that shows the person's face from the front at least once, or ask for a new "
        "consent with a clearer recording."
    ),
}
_STAGES: dict[str, Words] = {"convert": _("converting"), "join": _("joining the segments")}
_CAPTION = Caption(_("frame {iteration}"), _("Converted frame {iteration}"))
_STORAGE = Storage("conversions", _("Conversions"))
_PART = "convert-segment"


def _presentation(label: Words, **more: Any) -> Presentation:
    return Presentation(label, _STAGES, caption=_CAPTION, storage=_STORAGE, **more)


_WHOLE = _presentation(
    _("Convert video"),
    messages=_MESSAGES,
    advice=_ADVICE,
    audit={
        "conversion.started": _("started a conversion of {name} with {run}"),
        "conversion.deleted": _("deleted the conversion {name}"),
    },
)
_FRAME = _presentation(_("Preview frame"), audit={"still.made": _("previewed a frame of {name} with {run}")})


def register_kinds() -> None:
    """Register ``convert``, ``convert-segment`` and ``convert-still``."""
    convert, still = "faceengine.conversion.convert.run", "faceengine.conversion.still.run"
    # Videos are signed by their jobs; parts are joined first, pictures are signed when they are handed out.
    _register("convert", convert, _WHOLE, Makes.VIDEO, split=_split(), given=signing.given)
    _register(_PART, convert, _presentation(_("Convert segment")), Makes.PART)
    # Somebody waits for it, and the GPU may be busy for hours: one frame is drawn by a processor as well.
    _register("convert-still", still, _FRAME, Makes.FRAME, slot_kind="cpu")


def _split() -> Split:
    return Split(
        plan="faceengine.conversion.segments.plan",
        part=_PART,
        join="faceengine.conversion.segments.join",
        join_config="faceengine.conversion.segments.JoinConfig",
    )


def _register(name: str, function: str, presentation: Presentation, makes: Makes, **more: Any) -> None:
    config = "faceengine.conversion.config.ConvertConfig"
    more |= {"presentation": presentation, "shows": Shows.RESULT, "makes": makes}
    # Whom a conversion replaces follows from its model: a job from when requests could say otherwise doesn't go on.
    kind: Kind = studio_kind(name, function, config, Act.CONVERT, compared=True, reserved=("person",), **more)
    register(kind)

"""The kind of job that extracts a person's faces from their footage."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from faceengine.jobs.kinds import Shows, register
from faceengine.jobs.presentation import Presentation, Storage, Words
from webapp.consent.gate import Act
from webapp.studio import results
from webapp.studio.kinds.common import studio_kind

_MESSAGES: dict[str, Words] = {
    "extract.at_edge": _("Faces at the edge of the frame"),
    "extract.bad_photo": _("A photo could not be read"),
    "extract.changed": _("An input file was replaced by another file"),
    "extract.few": _("Too few crops for training"),
    "extract.input_without_face": _("No face was found in one of the input files"),
    "extract.missing": _("An input file is missing"),
    "extract.no_face": _("No face was found"),
    "extract.passed_over": _("Some files in a folder were skipped"),
    "extract.settings": _("The face set was started with other settings"),
    "extract.some": _("Few crops"),
    "extract.two_people": _("The footage shows more than one person"),
}
_ADVICE: dict[str, Words] = {
    "extract.at_edge": _("Training skips these faces. Footage that shows the whole face gives it more to learn from."),
    "extract.two_people": _(
        "A model that learns one face from two people resembles neither of them. Open the face "
        "review, sort by distance to the typical face, and reject the crops of the other person."
    ),
}
_PRESENTATION = Presentation(
    label=_("Extract faces"),
    stages={"extract": _("extracting faces"), "measure": _("measuring faces")},
    messages=_MESSAGES,
    advice=_ADVICE,
    audit={
        "faces.extracted": _("extracted the faces of person {side} from {inputs} files"),
        "faces.compared": _(
            "compared the faces of person {side} with a new consent recording: {other} of another "
            "person, {unsure} uncertain"
        ),
    },
    storage=Storage("faces", _("Face sets")),
)


def register_kinds() -> None:
    """Register ``extract``."""
    register(
        studio_kind(
            "extract",
            "faceengine.extraction.extract.run",
            "faceengine.extraction.config.ExtractConfig",
            Act.EXTRACT,
            presentation=_PRESENTATION,
            shows=Shows.REAL,
            on_end=results.extraction_ended,
        )
    )

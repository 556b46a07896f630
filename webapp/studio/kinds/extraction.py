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
    "extract.changed": _("Another file has taken an input's name"),
    "extract.few": _("Too few crops to train on"),
    "extract.input_without_face": _("No face was found in one of the inputs"),
    "extract.missing": _("An input is missing"),
    "extract.no_face": _("No face was found"),
    "extract.passed_over": _("Files in a folder were passed over"),
    "extract.settings": _("The set was begun with other settings"),
    "extract.some": _("Few crops"),
    "extract.two_people": _("The footage shows more than one person"),
}
_ADVICE: dict[str, Words] = {
    "extract.at_edge": _("Training leaves them out. Footage with the whole face in view gives more to learn from."),
    "extract.two_people": _(
        "A model that learns from two people draws neither. Open the faces, sort them by the distance to the typical "
        "face, and reject those of the other person."
    ),
}
_PRESENTATION = Presentation(
    label=_("Extract faces"),
    stages={"extract": _("extracting faces"), "measure": _("measuring")},
    messages=_MESSAGES,
    advice=_ADVICE,
    audit={
        "faces.extracted": _("had the faces of person {side} extracted from {inputs} files"),
        "faces.compared": _(
            "the faces of person {side} were compared with a new recording: {other} somebody else's, {unsure} unsure"
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

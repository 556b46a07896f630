"""The kind of job that says by numbers how good a conversion is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from faceengine.jobs.kinds import Shows, register
from faceengine.jobs.presentation import Presentation, Storage, Words
from webapp.consent.gate import Act
from webapp.studio.kinds.common import studio_kind

_MESSAGES: dict[str, Words] = {
    "score.empty_set": _("A face set needed for the score is empty"),
    "score.no_face": _("No face was found in the result"),
    "score.size": _("The result and the original video differ in size"),
}
_PRESENTATION = Presentation(
    label=_("Score result"),
    stages={"score": _("scoring")},
    messages=_MESSAGES,
    audit={"score.started": _("scored {name}")},
    storage=Storage("scores", _("Scores")),
)


def register_kinds() -> None:
    """Register ``score``."""
    register(
        studio_kind(
            "score",
            "faceengine.evaluation.score.run",
            "faceengine.evaluation.config.ScoreConfig",
            Act.SCORE,
            presentation=_PRESENTATION,
            shows=Shows.RESULT,
        )
    )

"""The studio's kinds of jobs: the engine's four stages, what is kept of them, and who may see and steer them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from faceengine.jobs.kinds import Kind, Split, register
from faceengine.jobs.models import Job
from webapp.consent import references
from webapp.consent.erasure import gone
from webapp.consent.gate import Act, permit
from webapp.consent.job_groups import able, may_with
from webapp.projects.access import Verb
from webapp.provenance import delivery, signing
from webapp.studio import face_sets, results


def may_watch(user: Any, job: Job) -> bool:
    """Whether ``user`` may see the job and its files."""
    return may_with(user, Verb.VIEW, job)


def may_steer(user: Any, job: Job) -> bool:
    """Whether ``user`` may pause, cancel and move the job."""
    return may_with(user, Verb.EDIT, job)


def steerable(user: Any, jobs: Sequence[Job]) -> set[UUID]:
    """:func:`may_steer` of many jobs at once."""
    return able(user, Verb.EDIT, jobs)


_COMPARED = (Act.TRAIN, Act.CONVERT)
"""What is only done with the faces of the people who agreed."""


def register_all() -> None:
    """Make the studio's kinds known to the ledger."""
    convert = "faceengine.conversion.convert.run", "faceengine.conversion.config.ConvertConfig"
    segments = Split(
        plan="faceengine.conversion.segments.plan",
        part="convert-segment",
        join="faceengine.conversion.segments.join",
        join_config="faceengine.conversion.segments.JoinConfig",
    )
    extract = "faceengine.extraction.extract.run", "faceengine.extraction.config.ExtractConfig"
    _register("extract", *extract, Act.EXTRACT, on_end=results.extraction_ended)
    train = "faceengine.training.train.run", "faceengine.training.config.TrainConfig"
    _register("train", *train, Act.TRAIN, on_event=results.training_told, processes=settings.TRAIN_PROCESSES)
    # Only whole videos are signed by their jobs; parts are joined first, pictures are signed when they are handed out.
    _register("convert", *convert, Act.CONVERT, split=segments, given=signing.given)
    _register("convert-segment", *convert, Act.CONVERT)
    # Somebody waits for it, and the GPU may be busy for hours: one frame is drawn by a processor as well.
    still = "faceengine.conversion.still.run", convert[1]
    _register("convert-still", *still, Act.CONVERT, slot_kind="cpu")
    _register("score", "faceengine.evaluation.score.run", "faceengine.evaluation.config.ScoreConfig", Act.SCORE)


def _register(name: str, function: str, config_class: str, act: Act, **more: Any) -> None:
    more |= {"permit": delivery.marked(permit(act)), "may_deliver": delivery.may_deliver, "on_gone": gone}
    own = more.pop("given", None)
    compared = act in _COMPARED

    def given(job: Job) -> dict[str, str]:
        """What the body needs to sign, and the faces of the people who agreed."""
        return (own(job) if own else {}) | (references.given(job) if compared else {})

    more |= {"prepare": delivery.prepare, "given": given}
    more |= {"steerable": steerable, "before": face_sets.write_verdicts_for}
    register(Kind(name, function, config_class, may_watch, may_steer, **more))

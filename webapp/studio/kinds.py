"""The studio's kinds of jobs: the engine's four stages, what is kept of them, and who may see and steer them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from faceengine.jobs.kinds import Kind, Split, register
from faceengine.jobs.models import Job
from webapp.accounts.models import Membership
from webapp.consent.erasure import gone
from webapp.consent.gate import Act, permit
from webapp.consent.roles import within
from webapp.curation.models import FaceSet
from webapp.projects.access import REACH, Verb
from webapp.provenance import delivery, signing
from webapp.studio import results
from webapp.studio.models import Conversion, Run, Score, Still

_OWNERS: dict[str, tuple[Any, str]] = {
    "extract": (FaceSet, "person__project__team"),
    "train": (Run, "project__team"),
    "convert": (Conversion, "run__project__team"),
    "convert-segment": (Conversion, "run__project__team"),
    "convert-still": (Still, "run__project__team"),
    "score": (Score, "conversion__run__project__team"),
}
"""By kind of job: whose row it belongs to, and the way from there to the team."""


_BY_MODEL = {model: [kind for kind, (other, _) in _OWNERS.items() if other is model] for model, _ in _OWNERS.values()}


def own_or_staff(user: Any, job: Job) -> bool:
    """Whether ``user`` asked for the job or runs this installation."""
    return bool(user.is_active and (user.is_staff or job.owner_id == user.pk))


def may_watch(user: Any, job: Job) -> bool:
    """Whether ``user`` may see the job and its files."""
    return _may(user, Verb.VIEW, job)


def may_steer(user: Any, job: Job) -> bool:
    """Whether ``user`` may pause, cancel and move the job."""
    return _may(user, Verb.EDIT, job)


def steerable(user: Any, jobs: Sequence[Job]) -> set[UUID]:
    """:func:`may_steer` of many jobs at once."""
    able, others = within(user, Verb.EDIT, jobs)
    by_hand = {job.pk for job in others if own_or_staff(user, job)}
    for model, kinds in _BY_MODEL.items():
        some = {job.pk for job in others if job.pk in by_hand and job.kind in kinds}
        if some:
            by_hand -= set(model.objects.filter(job__in=some).values_list("job", flat=True))
    return able | by_hand


def _may(user: Any, verb: Verb, job: Job) -> bool:
    model, way = _OWNERS[job.kind]
    team = model.objects.filter(job=job.parent_id or job.pk).values(way)
    if user.is_authenticated and user.is_active:
        role = Membership.objects.filter(user=user, team__in=team).values_list("role", flat=True).first()
        if role is not None:
            return verb.value <= REACH[role].value
    return not team.exists() and own_or_staff(user, job)  # queued by hand, outside any project


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
    _register("convert", *convert, Act.CONVERT, split=segments)
    _register("convert-segment", *convert, Act.CONVERT)
    # Somebody waits for it, and the GPU may be busy for hours: one frame is drawn by a processor as well.
    still = "faceengine.conversion.still.run", convert[1]
    _register("convert-still", *still, Act.CONVERT, slot_kind="cpu")
    _register("score", "faceengine.evaluation.score.run", "faceengine.evaluation.config.ScoreConfig", Act.SCORE)


def _register(name: str, function: str, config_class: str, act: Act, **more: Any) -> None:
    more |= {"permit": delivery.marked(permit(act)), "may_deliver": delivery.may_deliver, "on_gone": gone}
    more |= {"prepare": delivery.prepare, "environment": signing.environment}
    more |= {"steerable": steerable}
    register(Kind(name, function, config_class, may_watch, may_steer, **more))

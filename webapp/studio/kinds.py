"""The studio's kinds of jobs: the engine's four stages, and who may see and steer them."""

from __future__ import annotations

from typing import Any

from faceengine.jobs.kinds import Kind, Split, register
from faceengine.jobs.models import Job


def own_or_staff(user: Any, job: Job) -> bool:
    """Whether ``user`` asked for the job or runs this installation."""
    return bool(user.is_active and (user.is_staff or job.owner_id == user.pk))


def register_all() -> None:
    """Make the studio's kinds known to the ledger."""
    for kind in _kinds():
        register(kind)


def _kinds() -> list[Kind]:
    convert = "faceengine.conversion.convert.run", "faceengine.conversion.config.ConvertConfig"
    segments = Split(
        plan="faceengine.conversion.segments.plan",
        part="convert-segment",
        join="faceengine.conversion.segments.join",
        join_config="faceengine.conversion.segments.JoinConfig",
    )
    return [
        _kind("extract", "faceengine.extraction.extract.run", "faceengine.extraction.config.ExtractConfig"),
        _kind("train", "faceengine.training.train.run", "faceengine.training.config.TrainConfig"),
        _kind("convert", *convert, split=segments),
        _kind("convert-segment", *convert),
        _kind("score", "faceengine.evaluation.score.run", "faceengine.evaluation.config.ScoreConfig"),
    ]


def _kind(name: str, function: str, config_class: str, *, split: Split | None = None) -> Kind:
    return Kind(name, function, config_class, own_or_staff, own_or_staff, split=split)

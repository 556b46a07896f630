"""What the API takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import model_validator


class Problem(Schema):
    """Why something can't be done."""

    code: str = Field(description="stable; docs/api.md")
    text: str = Field(description="a sentence for people")


class NewProject(Schema):
    """A project to be made."""

    name: str = Field(min_length=1, max_length=100)
    a: str = Field("", max_length=100, description="name of person A")
    b: str = Field("", max_length=100, description="name of person B")
    team: int | None = Field(None, description="needed by members of several teams")


class PersonOut(Schema):
    """One of the two people."""

    side: Literal["a", "b"]
    name: str
    consent: str = Field(description="none, asked, waiting, live, refused, expired or withdrawn")
    assets_ready: int
    assets_checking: int
    faces: int
    faces_usable: int
    extraction: UUID | None = Field(description="its job")


class ProjectOut(Schema):
    """A project and where it stands."""

    id: int
    name: str
    team: int
    step: str = Field(description="consent, upload, extract, curate, train, convert or score; empty when all is done")
    next: str = Field(description="what to do next, in the reader's language")
    people: list[PersonOut]


class AssetOut(Schema):
    """A video or photo."""

    id: int
    side: Literal["a", "b"]
    name: str
    state: str = Field(description="checking, ready or refused")
    code: str = Field(description="why it was refused")
    kind: str
    sha256: str
    width: int
    height: int
    duration: float
    file: str = Field(description="address, with ranges")


class ExtractIn(Schema):
    """How faces are extracted; only the first time."""

    every: int = 6
    size: int = 256


class CropOut(Schema):
    """A face that was cut out."""

    number: int
    state: str
    sharpness: float
    yaw: float
    pitch: float
    score: float
    picture: str


class CropsOut(Schema):
    """A page of crops."""

    crops: list[CropOut]
    next: int | None = Field(description="give this as ``after`` for the next page")


class VerdictsIn(Schema):
    """One's verdicts on some crops."""

    numbers: list[int] = Field(min_length=1, max_length=5000)
    value: Literal["keep", "reject"] | None = Field(description="null takes one's verdicts back")


class RunIn(Schema):
    """A training to be started."""

    name: str = Field(min_length=1, max_length=100)
    settings: dict[str, Any] = Field(default_factory=dict, description="of the engine's TrainConfig")
    parent: int | None = Field(None, description="the snapshot to begin with")


class SnapshotOut(Schema):
    """A run at one iteration."""

    id: int
    iteration: int
    losses: dict[str, float]
    preview: str | None
    checkpoint: str | None


class JobOut(Schema):
    """How far some work is."""

    id: UUID
    kind: str
    state: str = Field(description="queued, running, waiting, paused, done, failed or cancelled")
    progress: dict[str, Any] | None
    error_code: str
    error_text: str
    last_seq: int
    created_at: datetime
    finished_at: datetime | None


class RunOut(Schema):
    """A training."""

    id: int
    name: str
    job: JobOut
    snapshots: list[SnapshotOut]


class ConversionIn(Schema):
    """A conversion to be started; whose video it is says in which direction."""

    asset: int
    snapshot: int | None = None
    settings: dict[str, Any] = Field(default_factory=dict, description="of the engine's ConvertConfig")


class LongerIn(Schema):
    """How much longer: either of them."""

    minutes: float | None = Field(None, ge=0.01, le=100_000, description="so many more")
    iterations: int | None = Field(None, ge=1, le=100_000_000, description="until it has had so many in all")

    @model_validator(mode="after")
    def one(self) -> LongerIn:
        if (self.minutes is None) == (self.iterations is None):
            raise ValueError("either minutes or iterations")
        return self


class StillIn(ConversionIn):
    """One frame of a conversion, to choose its settings by."""

    seconds: float = Field(0.0, ge=0, description="when in the video")


class StillOut(Schema):
    """That frame, before and after."""

    id: int
    run: int
    job: JobOut
    picture: str | None = Field(description="address of the picture")


class ConversionOut(Schema):
    """A converted video."""

    id: int
    run: int
    direction: Literal["a2b", "b2a"]
    job: JobOut
    result: str | None = Field(description="address of the video, with ranges")
    score: JobOut | None
    report: dict[str, Any] | None = Field(description="the score's figures, docs/score.md")

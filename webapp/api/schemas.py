"""What the API takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict, Strict, WithJsonSchema, model_validator

from webapp.request_values import LARGEST_KEY
from webapp.studio.options import CONVERT, EXTRACT, TRAIN, Option, Options

_CROP, _SECONDS = 2**31 - 1, 10_000_000
# In an address and in its query everything is text. In a body a number is one, and nothing else passes for it.
KeyInPath = Annotated[int, Field(ge=0, le=LARGEST_KEY)]
KeyInQuery = KeyInPath
CropNumberInQuery = Annotated[int, Field(ge=0, le=_CROP)]
SecondsInQuery = Annotated[float, Field(ge=0, le=_SECONDS, allow_inf_nan=False)]
Key = Annotated[int, Strict(), Field(ge=0, le=LARGEST_KEY)]
CropNumber = Annotated[int, Strict(), Field(ge=0, le=_CROP)]
Seconds = Annotated[float, Strict(), Field(ge=0, le=_SECONDS, allow_inf_nan=False)]


def settings_of(options: Options) -> Any:
    """Return the type of a body's ``settings``. The services check them; this describes them."""
    return Annotated[dict[str, Any], WithJsonSchema(options.json_schema())]


def _number(option: Option) -> Any:
    return Annotated[option.kind, Strict(), Field(ge=option.low, le=option.high, allow_inf_nan=False)]


class Body(Schema):
    """A request body. Unknown fields are rejected, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")


class Problem(Schema):
    """An error."""

    code: str = Field(description="stable code, see docs/api.md")
    text: str = Field(description="message for people")


class NewProject(Body):
    """A new project."""

    name: str = Field(min_length=1, max_length=100)
    a: str = Field("", max_length=100, description="name of person A")
    b: str = Field("", max_length=100, description="name of person B")
    team: Key | None = Field(None, description="required for members of several teams")


class PersonOut(Schema):
    """One of a project's two people."""

    side: Literal["a", "b"]
    name: str
    consent: str = Field(description="none, asked, waiting, live, refused, expired or withdrawn")
    assets_ready: int
    assets_checking: int
    faces: int
    faces_usable: int
    extraction: UUID | None = Field(description="job of the extraction")


class ProjectOut(Schema):
    """A project and its progress."""

    id: int
    name: str
    team: int
    step: str = Field(description="consent, upload, extract, curate, train, convert or score; empty when all are done")
    next: str = Field(description="the next step, in the user's language")
    people: list[PersonOut]


class AssetOut(Schema):
    """A video or photo."""

    id: int
    side: Literal["a", "b"]
    name: str
    state: str = Field(description="checking, ready or refused")
    code: str = Field(description="reason for the refusal")
    kind: str
    sha256: str
    width: int
    height: int
    duration: float
    file: str = Field(description="URL of the file; supports ranges")


class ExtractIn(Body):
    """Settings of the first extraction; later ones reuse them."""

    every: _number(EXTRACT["every"]) = EXTRACT["every"].field.default  # type: ignore[valid-type]
    size: _number(EXTRACT["size"]) = EXTRACT["size"].field.default  # type: ignore[valid-type]


class CropOut(Schema):
    """A crop: one face, cut from a frame."""

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
    next: int | None = Field(description="pass this as ``after`` to get the next page")


class VerdictsIn(Body):
    """Your verdicts on crops."""

    numbers: list[CropNumber] = Field(min_length=1, max_length=5000)
    value: Literal["keep", "reject"] | None = Field(description="null removes your verdicts")


class RunIn(Body):
    """A new training run."""

    name: str = Field(min_length=1, max_length=100)
    settings: settings_of(TRAIN) = Field(default_factory=dict)  # type: ignore[valid-type]
    parent: Key | None = Field(None, description="the snapshot to start from")


class SnapshotOut(Schema):
    """A snapshot of a run."""

    id: int
    iteration: int
    losses: dict[str, float]
    preview: str | None
    checkpoint: str | None


class JobOut(Schema):
    """A job and its progress."""

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
    """A training run."""

    id: int
    name: str
    job: JobOut
    snapshots: list[SnapshotOut]


class ConversionIn(Body):
    """A new conversion. The person in the video decides the direction."""

    asset: Key
    snapshot: Key | None = None
    settings: settings_of(CONVERT) = Field(default_factory=dict)  # type: ignore[valid-type]


class LongerIn(Body):
    """How much longer to train: set one of the two fields."""

    minutes: _number(TRAIN["minutes"]) | None = Field(None, description="additional minutes")  # type: ignore[valid-type]
    iterations: _number(TRAIN["iterations"]) | None = Field(  # type: ignore[valid-type]
        None, description="total iterations to reach"
    )

    @model_validator(mode="after")
    def one(self) -> LongerIn:
        if (self.minutes is None) == (self.iterations is None):
            raise ValueError("set either minutes or iterations")
        return self


class StillIn(ConversionIn):
    """A preview of one frame, to choose the settings of a conversion."""

    seconds: Seconds = Field(0.0, description="position in the video, in seconds")


class StillOut(Schema):
    """A frame preview, before and after."""

    id: int
    run: int
    job: JobOut
    picture: str | None = Field(description="URL of the image")


class ConversionOut(Schema):
    """A converted video."""

    id: int
    run: int
    direction: Literal["a2b", "b2a"]
    job: JobOut
    result: str | None = Field(description="URL of the video; supports ranges")
    score: JobOut | None
    report: dict[str, Any] | None = Field(description="the numbers of the score, see docs/score.md")

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
    """What a request sends. A field that is not known is refused, so that none is taken for one that works."""

    model_config = ConfigDict(extra="forbid")


class Problem(Schema):
    """Why something can't be done."""

    code: str = Field(description="stable; docs/api.md")
    text: str = Field(description="a sentence for people")


class NewProject(Body):
    """A project to be made."""

    name: str = Field(min_length=1, max_length=100)
    a: str = Field("", max_length=100, description="name of person A")
    b: str = Field("", max_length=100, description="name of person B")
    team: Key | None = Field(None, description="needed by members of several teams")


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


class ExtractIn(Body):
    """How faces are extracted; only the first time."""

    every: _number(EXTRACT["every"]) = EXTRACT["every"].field.default  # type: ignore[valid-type]
    size: _number(EXTRACT["size"]) = EXTRACT["size"].field.default  # type: ignore[valid-type]


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


class VerdictsIn(Body):
    """One's verdicts on some crops."""

    numbers: list[CropNumber] = Field(min_length=1, max_length=5000)
    value: Literal["keep", "reject"] | None = Field(description="null takes one's verdicts back")


class RunIn(Body):
    """A training to be started."""

    name: str = Field(min_length=1, max_length=100)
    settings: settings_of(TRAIN) = Field(default_factory=dict)  # type: ignore[valid-type]
    parent: Key | None = Field(None, description="the snapshot to begin with")


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


class ConversionIn(Body):
    """A conversion to be started; whose video it is says in which direction."""

    asset: Key
    snapshot: Key | None = None
    settings: settings_of(CONVERT) = Field(default_factory=dict)  # type: ignore[valid-type]


class LongerIn(Body):
    """How much longer: either of them."""

    minutes: _number(TRAIN["minutes"]) | None = Field(None, description="so many more")  # type: ignore[valid-type]
    iterations: _number(TRAIN["iterations"]) | None = Field(  # type: ignore[valid-type]
        None, description="until it has had so many in all"
    )

    @model_validator(mode="after")
    def one(self) -> LongerIn:
        if (self.minutes is None) == (self.iterations is None):
            raise ValueError("either minutes or iterations")
        return self


class StillIn(ConversionIn):
    """One frame of a conversion, to choose its settings by."""

    seconds: Seconds = Field(0.0, description="when in the video")


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

"""The options that a person may set for each kind of job: the one list of forms, the API and the services.

The list names fields of the engine's configs, so types, choices and defaults are the engine's; bounds are tighter where
an engine may do more than one member of a team may ask of everybody's machine. What is not in the list (paths, faces,
models, devices, processes, file names, marks, the part of a video) is set by the services alone, whatever way a request
comes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from faceengine.config import LARGEST, Config, value_type
from faceengine.conversion.config import ConvertConfig
from faceengine.errors import ConfigError
from faceengine.evaluation.config import ScoreConfig
from faceengine.extraction.config import ExtractConfig
from faceengine.intake.config import IntakeConfig
from faceengine.training.config import TrainConfig

_JSON_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean"}
_SHOWN = 60
"""Characters of a name that a message repeats."""


class OptionError(ConfigError):
    """An option that is not in the list. ``code`` is ``option.unknown`` or ``option.type``."""


@dataclass(frozen=True)
class Bounds:
    """What people may give for one option; what is not said here is as in the engine's config."""

    low: float | None = None
    high: float | None = None
    or_zero: bool = False
    """Whether 0, which turns something off, is allowed below ``low``."""
    without: tuple[str, ...] = ()
    """Choices of the engine that people don't have."""


@dataclass(frozen=True)
class Option:
    """One option of a kind of job, with the bounds that people have."""

    config: type[Config]
    field: dataclasses.Field[Any]
    bounds: Bounds

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def kind(self) -> Any:
        """``int``, ``float``, ``str`` or ``bool``."""
        return value_type(self.config, self.name)

    @property
    def choices(self) -> tuple[Any, ...]:
        """All values that it may have; empty for a number within bounds."""
        return tuple(one for one in self.field.metadata["choices"] or () if one not in self.bounds.without)

    @property
    def low(self) -> float:
        """The smallest number; but for 0, if that is allowed."""
        own, engine = self.bounds.low, self.field.metadata["low"]
        return own if own is not None else engine if engine is not None else -LARGEST

    @property
    def high(self) -> float:
        own, engine = self.bounds.high, self.field.metadata["high"]
        return own if own is not None else engine if engine is not None else LARGEST

    def check(self, value: Any) -> None:
        """Raise :class:`ConfigError` ``config.type``, ``.choice`` or ``.range`` for a value that it may not have."""
        if value is None:
            raise ConfigError("config.type", f"{self.name} must not be null; leave it out for the default")
        self.config.check_value(self.name, value)
        if self.choices:
            if value not in self.choices:
                known = ", ".join(map(str, self.choices))
                raise ConfigError("config.choice", f"{self.name} must be one of {known}, not {value}")
        elif self.kind in (int, float) and not self.allows(value):
            zero = "0, or " if self.bounds.or_zero else ""
            text = f"{self.name} must be {zero}from {self.low:g} to {self.high:g}, not {value}"
            raise ConfigError("config.range", text)

    def allows(self, number: float) -> bool:
        """Return whether a number is within the bounds."""
        return self.low <= number <= self.high or (self.bounds.or_zero and number == 0)

    def json_schema(self) -> dict[str, Any]:
        """Describe the option for OpenAPI."""
        schema: dict[str, Any] = {"type": _JSON_TYPES[self.kind], "description": self.field.metadata["help"]}
        if self.choices:
            schema["enum"] = list(self.choices)
        elif self.kind in (int, float):
            schema |= {"minimum": 0 if self.bounds.or_zero else self.low, "maximum": self.high}
        if self.field.default is not None:
            schema["default"] = self.field.default
        return schema


class Options:
    """The options of one kind of job."""

    def __init__(self, config: type[Config], **bounds: Bounds) -> None:
        fields = {field.name: field for field in dataclasses.fields(config)}
        self.config = config
        self.by_name = {name: Option(config, fields[name], own) for name, own in bounds.items()}

    def __getitem__(self, name: str) -> Option:
        return self.by_name[name]

    def checked(self, values: Any) -> dict[str, Any]:
        """Return ``values`` if they are options of the list, each within its bounds.

        Raises :class:`OptionError` ``option.unknown`` (which names what may not be set) or ``option.type`` (for
        anything but a dictionary), and :class:`ConfigError` as :meth:`Option.check`.
        """
        if not isinstance(values, dict):
            raise OptionError("option.type", _("Settings must be an object that maps option names to values."))
        if unknown := sorted(str(name)[:_SHOWN] for name in set(values) - set(self.by_name)):
            known = ", ".join(self.by_name) or "–"
            text = _("You can't set %(names)s here. You can set: %(known)s.")
            raise OptionError("option.unknown", text % {"names": ", ".join(unknown[:5]), "known": known})
        for name, value in values.items():
            self.by_name[name].check(value)
        return dict(values)

    def json_schema(self) -> dict[str, Any]:
        """Describe the options for OpenAPI."""
        properties = {name: option.json_schema() for name, option in self.by_name.items()}
        return {"type": "object", "properties": properties, "additionalProperties": False}


_AS_IN_ENGINE = Bounds()
_EVERY = Bounds(low=10)
"""Each of them is written to the disk: a picture, or some hundred megabytes."""

EXTRACT = Options(ExtractConfig, every=_AS_IN_ENGINE, size=_AS_IN_ENGINE)
TRAIN = Options(
    TrainConfig,
    preset=_AS_IN_ENGINE,
    base=_AS_IN_ENGINE,
    minutes=Bounds(high=30 * 24 * 60),
    iterations=Bounds(high=10_000_000),
    octave=_AS_IN_ENGINE,
    batch=Bounds(high=64),
    cycle=Bounds(high=100),
    seed=Bounds(high=2**31 - 1),
    preview_every=_EVERY,
    checkpoint_every=_EVERY,
    keep_every=Bounds(low=1000, or_zero=True),
)
CONVERT = Options(
    ConvertConfig,
    blend=_AS_IN_ENGINE,
    color=_AS_IN_ENGINE,
    layout=_AS_IN_ENGINE,
    label=Bounds(without=("none",)),
    label_place=_AS_IN_ENGINE,
    cover=_AS_IN_ENGINE,
    smoothing=_AS_IN_ENGINE,
    sharpen=_AS_IN_ENGINE,
    erode=_AS_IN_ENGINE,
    feather=_AS_IN_ENGINE,
    # Lossless video is ten times as large, and browsers don't play it.
    crf=Bounds(low=10, high=40),
)
NOTHING = {
    "score": Options(ScoreConfig),
    "intake": Options(IntakeConfig),
    "convert-segment": Options(ConvertConfig),
}
"""Kinds of jobs of which a person may set nothing: footage is looked at, parts of a conversion follow it."""

BY_KIND = {"extract": EXTRACT, "train": TRAIN, "convert": CONVERT, "convert-still": CONVERT, **NOTHING}
"""The options of every kind of job. A frame is previewed with the settings of the conversion that it is to show."""

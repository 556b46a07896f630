"""Configs: frozen dataclasses that validate themselves and feed the command line and, later, web forms."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from faceengine.errors import ConfigError


def option(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    choices: Sequence[Any] | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """A config field: ``help`` is its one line for people; ``choices``, ``low`` and ``high`` (inclusive) bound it."""
    metadata = {"help": help, "choices": choices, "low": low, "high": high}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Config:
    """Base of all configs. Building one with a bad value raises :class:`ConfigError` that names the field."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name), _plain_type(type(self), field.name))
        self.check()

    def check(self) -> None:
        """Rules between fields; subclasses override it and raise :class:`ConfigError`."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only; paths become strings."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; raises :class:`ConfigError` for a field it does not know, or needs."""
        fields = dataclasses.fields(cls)
        if unknown := sorted(set(values) - {field.name for field in fields}):
            raise ConfigError("config.unknown", f"{cls.__name__} has no field {', '.join(unknown)}")
        needed = [field.name for field in fields if field.default is field.default_factory is dataclasses.MISSING]
        if missing := [name for name in needed if name not in values]:
            raise ConfigError("config.missing", f"{', '.join(missing)} must be given")
        read = {name: _read(_plain_type(cls, name), value) for name, value in values.items()}
        return cls(**read)

    def digest(self) -> str:
        """SHA-256 of the config as canonical JSON: equal configs, equal digests."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser, skip: Sequence[str] = ()) -> None:
        """Add ``--field-name`` for every field not in ``skip``. Nothing given means nothing set."""
        for field in dataclasses.fields(cls):
            if field.name in skip or "help" not in field.metadata:
                continue
            kind = _plain_type(cls, field.name)
            shown = field.metadata["help"]
            if field.default not in (dataclasses.MISSING, None, ""):
                shown += f" (default: {field.default})"
            keywords: dict[str, Any] = {"help": shown.replace("%", "%%"), "default": argparse.SUPPRESS}
            keywords["required"] = field.default is field.default_factory is dataclasses.MISSING
            if kind is bool:
                keywords["action"] = argparse.BooleanOptionalAction
            else:
                keywords |= {"type": kind, "choices": field.metadata["choices"], "metavar": _metavar(field, kind)}
            parser.add_argument("--" + field.name.replace("_", "-"), dest=field.name, **keywords)


def _metavar(field: dataclasses.Field[Any], kind: Any) -> str | None:
    return None if field.metadata["choices"] else kind.__name__.upper()


def _plain_type(cls: type, name: str) -> Any:
    """The field's type with ``| None`` taken off."""
    kind = typing.get_type_hints(cls)[name]
    if isinstance(kind, types.UnionType):
        kind = next(part for part in typing.get_args(kind) if part is not types.NoneType)
    return kind


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Config):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _read(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if kind is Path:
        return Path(value)
    if isinstance(kind, type) and issubclass(kind, Config) and isinstance(value, dict):
        return kind.from_dict(value)
    if typing.get_origin(kind) is tuple:
        return tuple(_read(typing.get_args(kind)[0], item) for item in value)
    return value


def _check(field: dataclasses.Field[Any], value: Any, kind: Any) -> None:
    if value is None:
        if field.default is not None:
            raise ConfigError("config.missing", f"{field.name} must be given")
        return
    accepted = (int, float) if kind is float else kind
    if isinstance(accepted, type | tuple) and (
        not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool)
    ):
        raise ConfigError("config.type", f"{field.name} must be {kind.__name__}, not {value!r}")
    choices, low, high = (field.metadata.get(key) for key in ("choices", "low", "high"))
    if choices is not None and value not in choices:
        raise ConfigError("config.choice", f"{field.name} must be one of {', '.join(map(str, choices))}, not {value!r}")
    if low is not None and not value >= low:
        raise ConfigError("config.range", f"{field.name} must be at least {low}, not {value}")
    if high is not None and not value <= high:
        raise ConfigError("config.range", f"{field.name} must be at most {high}, not {value}")

"""Configs: frozen dataclasses that validate themselves and feed the command line and, later, web forms."""

from __future__ import annotations

import argparse
import dataclasses
import math
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from faceengine.errors import ConfigError

LARGEST = 10**9
"""The bound on the size of a number in a field that names none of its own: no setting means more, and whatever computes
with it stays far from overflow."""


def option(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    choices: Sequence[Any] | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """A config field: ``help`` is its one line for people; ``choices``, ``low`` and ``high`` (inclusive) bound it.

    A number without bounds of its own lies within ±:data:`LARGEST`; NaN and infinity are always refused.
    """
    metadata = {"help": help, "choices": choices, "low": low, "high": high}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Config:
    """Base of all configs. Building one with a bad value raises :class:`ConfigError` that names the field."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            self.check_value(field.name, getattr(self, field.name))
        self.check()

    @classmethod
    def check_value(cls, name: str, value: Any) -> None:
        """Raise :class:`ConfigError` unless the field ``name`` may have ``value``, whatever the other fields have."""
        field = next(field for field in dataclasses.fields(cls) if field.name == name)
        _check(field, value, value_type(cls, name))

    def check(self) -> None:
        """Rules between fields; subclasses override it and raise :class:`ConfigError`."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only; paths become strings."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def to_record(self) -> dict[str, Any]:
        """As :meth:`to_dict`, for files that others read: an absolute path is cut to its last part."""
        return {field.name: _plain(getattr(self, field.name), shown_path) for field in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; raises :class:`ConfigError` for a field it does not know, or needs."""
        fields = dataclasses.fields(cls)
        if unknown := sorted(set(values) - {field.name for field in fields}):
            raise ConfigError("config.unknown", f"{cls.__name__} has no field {', '.join(unknown)}")
        needed = [field.name for field in fields if field.default is field.default_factory is dataclasses.MISSING]
        if missing := [name for name in needed if name not in values]:
            raise ConfigError("config.missing", f"{', '.join(missing)} must be given")
        read = {name: _read(name, value_type(cls, name), value) for name, value in values.items()}
        return cls(**read)

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser, skip: Sequence[str] = ()) -> None:
        """Add ``--field-name`` for every field not in ``skip``. Nothing given means nothing set."""
        for field in dataclasses.fields(cls):
            if field.name in skip or "help" not in field.metadata:
                continue
            kind = value_type(cls, field.name)
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


def value_type(cls: type, name: str) -> Any:
    """Return the type of the values of a config's field, with ``| None`` taken off."""
    if cls not in _TYPES:
        _TYPES[cls] = typing.get_type_hints(cls)
    kind = _TYPES[cls][name]
    if isinstance(kind, types.UnionType):
        kind = next(part for part in typing.get_args(kind) if part is not types.NoneType)
    return kind


_TYPES: dict[type, dict[str, Any]] = {}
"""Field types by config class: reading them takes a millisecond, and every config asks for all of its own."""


def shown_path(path: Path) -> str:
    """Return the path for people elsewhere: as it was given, but of an absolute one only the last part."""
    return path.name if path.is_absolute() else str(path)


def _plain(value: Any, text_of: Callable[[Path], str] = str) -> Any:
    if isinstance(value, Path):
        return text_of(value)
    if isinstance(value, Config):
        return {field.name: _plain(getattr(value, field.name), text_of) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item, text_of) for item in value]
    return value


def _read(name: str, kind: Any, value: Any) -> Any:
    """Return the field's value as it was before :func:`_plain`; raise :class:`ConfigError` for another JSON type."""
    if value is None:
        return None
    if kind is Path:
        if not isinstance(value, str | Path):
            raise _wrong_type(name, "a path", value)
        return Path(value)
    if isinstance(kind, type) and issubclass(kind, Config) and isinstance(value, dict):
        return kind.from_dict(value)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise _wrong_type(name, "a list", value)
        return tuple(_read(name, typing.get_args(kind)[0], item) for item in value)
    return value


def _check(field: dataclasses.Field[Any], value: Any, kind: Any) -> None:
    if value is None:
        if field.default is not None:
            raise ConfigError("config.missing", f"{field.name} must be given")
        return
    _check_type(field.name, value, kind)
    choices = field.metadata.get("choices")
    if choices is not None:
        if value not in choices:
            known = ", ".join(map(str, choices))
            raise ConfigError("config.choice", f"{field.name} must be one of {known}, not {_short(value)}")
    elif kind in (int, float):
        _check_range(field.name, value, field.metadata.get("low"), field.metadata.get("high"))


def _check_type(name: str, value: Any, kind: Any) -> None:
    if typing.get_origin(kind) is tuple:
        for item in value if isinstance(value, tuple) else (value,):
            _check_type(name, item, typing.get_args(kind)[0] if isinstance(value, tuple) else tuple)
        return
    accepted = (int, float) if kind is float else typing.get_origin(kind) or kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise _wrong_type(name, kind.__name__, value)
    if isinstance(value, str | Path) and "\0" in str(value):
        raise ConfigError("config.text", f"{name} must not contain a NUL character")


def _check_range(name: str, value: float, low: float | None, high: float | None) -> None:
    """Both comparisons are false for NaN, so that it is in no range."""
    low, high = -LARGEST if low is None else low, LARGEST if high is None else high
    if not value >= low:
        raise ConfigError("config.range", f"{name} must be at least {low}, not {_short(value)}")
    if not value <= high:
        raise ConfigError("config.range", f"{name} must be at most {high}, not {_short(value)}")


def _wrong_type(name: str, wanted: str, value: Any) -> ConfigError:
    return ConfigError("config.type", f"{name} must be {wanted}, not {_short(value)}")


def _short(value: Any) -> str:
    """Return ``value`` for a message, cut to a length that a line has room for."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        return f"a number of about 10^{math.log10(abs(value)):.0f}"  # Python refuses to write thousands of digits
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"

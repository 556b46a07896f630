"""Every number of every config has bounds: found by walking the classes, so a new field is tried by nobody's doing."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faceengine.config import LARGEST, Config, value_type
from faceengine.conversion.config import ConvertConfig, ConvertResult
from faceengine.conversion.segments import JoinConfig
from faceengine.errors import ConfigError
from faceengine.evaluation.config import ScoreConfig
from faceengine.extraction.config import ExtractConfig
from faceengine.intake.config import IntakeConfig
from faceengine.networks.config import ModelConfig
from faceengine.training.config import Recipe, TrainConfig

CONFIGS = (ConvertConfig, ExtractConfig, IntakeConfig, JoinConfig, ModelConfig, Recipe, ScoreConfig, TrainConfig)
NO_NUMBERS = [math.nan, math.inf, -math.inf, 1e30, -1e30, 10**30, -(10**30), 10**400]
NO_TYPES = ["5", "x" * 10_000, {}, [], [5], {"high": 5}, object(), True]


def numbers() -> Iterator[tuple[type[Config], str]]:
    for config in CONFIGS:
        for field in dataclasses.fields(config):
            if value_type(config, field.name) in (int, float):
                yield config, field.name


@pytest.mark.parametrize(("config", "name"), list(numbers()))
def test_no_number_is_without_bounds(config: type[Config], name: str) -> None:
    for value in NO_NUMBERS:
        with pytest.raises(ConfigError, match=name) as caught:
            config.check_value(name, value)
        assert caught.value.code in ("config.range", "config.choice", "config.type"), value
        assert len(str(caught.value)) < 300
    for value in NO_TYPES:
        with pytest.raises(ConfigError, match=name):
            config.check_value(name, value)


@pytest.mark.parametrize("config", CONFIGS)
def test_json_of_another_type_is_refused_by_name_wherever_it_stands(config: type[Config]) -> None:
    """``from_dict`` reads what a database or a script holds: nothing in it may raise anything but a ConfigError."""
    for field in dataclasses.fields(config):
        kind = value_type(config, field.name)
        for value in (5, -1, math.nan, 10**30, "a\0b", {}, {"x": 1}, [], [None], [[]], [{}], True, object()):
            good = _is(kind, value)
            try:
                config.from_dict(_needed(config) | {field.name: value})
            except ConfigError:
                continue
            assert good, (field.name, value)


def _is(kind: Any, value: Any) -> bool:
    """Whether a value of that type may be good for the field."""
    if kind in (int, float):
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
    if isinstance(value, list) and "tuple" in str(kind):
        return value == []
    if isinstance(kind, type) and issubclass(kind, Config):
        return bool(value == {})
    return isinstance(value, kind) if isinstance(kind, type) else False


def _needed(config: type[Config]) -> dict[str, Any]:
    values = {"a": "one", "b": "two", "video": "v.mp4", "model": "m", "direction": "a2b", "result": "r.mp4"}
    values |= {"wanted": "w", "original": "o", "file": "f"}
    names = {field.name for field in dataclasses.fields(config)}
    return {name: value for name, value in values.items() if name in names}


def test_a_path_in_a_list_is_read_and_a_number_in_it_is_not() -> None:
    assert ExtractConfig.from_dict({"inputs": ["a", "b"]}).inputs == (Path("a"), Path("b"))
    with pytest.raises(ConfigError, match="inputs"):
        ExtractConfig.from_dict({"inputs": [7]})
    with pytest.raises(ConfigError, match="inputs"):
        ExtractConfig.from_dict({"inputs": "abc"})


def test_what_a_stage_gives_back_is_bounded_too() -> None:
    with pytest.raises(ConfigError, match="fps"):
        ConvertResult(Path("x"), 1, 1, math.nan, stopped=False)

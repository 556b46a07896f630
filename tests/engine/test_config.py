"""Configs: bad values are refused with the field's name; arguments and JSON follow from the fields."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from faceengine.config import Config, option
from faceengine.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Inner(Config):
    depth: int = option(2, help="how deep", low=1)


@dataclasses.dataclass(frozen=True)
class Example(Config):
    folder: Path = option(help="where")
    files: tuple[Path, ...] = option((), help="what")
    size: int = option(64, help="how large, 100 % of it", choices=(64, 128))
    share: float = option(0.5, help="how much", low=0, high=1)
    name: str | None = option(None, help="what it is called")
    loud: bool = option(False, help="whether it says so")
    inner: Inner = option(Inner(), help="what is in it")

    def check(self) -> None:
        if self.name == str(self.folder):
            raise ConfigError("example.same", "name and folder are the same")


def parsed(*words: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    Example.add_arguments(parser, skip=["files", "inner"])
    return vars(parser.parse_args(words))


@pytest.mark.parametrize(
    ("values", "code", "named"),
    [
        ({"folder": None}, "config.missing", "folder"),
        ({"size": 100}, "config.choice", "size"),
        ({"size": "64"}, "config.type", "size"),
        ({"share": 1.5}, "config.range", "share"),
        ({"share": -0.1}, "config.range", "share"),
        ({"share": float("nan")}, "config.range", "share"),
        ({"share": True}, "config.type", "share"),
        ({"loud": 1}, "config.type", "loud"),
        ({"name": "here"}, "example.same", "name"),
    ],
)
def test_a_bad_value_is_refused_by_name(values: dict[str, Any], code: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        Example(**{"folder": Path("here")} | values)
    assert caught.value.code == code
    assert caught.value.exit_code == 2


def test_a_whole_number_is_a_good_float() -> None:
    assert Example(Path("here"), share=1).share == 1


def test_it_survives_json() -> None:
    config = Example(Path("here"), files=(Path("a"), Path("b")), share=0.25, inner=Inner(3))
    read = Example.from_dict(config.to_dict())
    assert read == config


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ConfigError, match="colour") as caught:
        Example.from_dict({"folder": "here", "colour": "red"})
    assert caught.value.code == "config.unknown"


def test_a_field_that_is_needed_and_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="folder") as caught:
        Example.from_dict({"size": 128})
    assert caught.value.code == "config.missing"


def test_arguments_are_built_from_the_fields() -> None:
    given = parsed("--folder", "here", "--size", "128", "--share", "0.1", "--loud")
    assert given == {"folder": Path("here"), "size": 128, "share": 0.1, "loud": True}


def test_what_is_not_said_is_not_set() -> None:
    assert parsed("--folder", "here") == {"folder": Path("here")}


def test_a_field_without_default_must_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((SystemExit, argparse.ArgumentError)):
        parsed()
    assert "--folder" in capsys.readouterr().err


def test_help_shows_each_line_and_default() -> None:
    parser = argparse.ArgumentParser()
    Example.add_arguments(parser, skip=["inner", "files"])
    text = " ".join(parser.format_help().split())
    assert "how large, 100 % of it (default: 64)" in text

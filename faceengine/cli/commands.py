"""The commands: each reads its config off the arguments, runs its stage, and tells a person what came of it.

Stages are imported inside the functions and only once their config is known to be good: importing torch takes
seconds, which neither ``--help`` nor a mistyped option should.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol, TypeVar

from faceengine.cli.show import shown
from faceengine.cli.stopping import Stop
from faceengine.config import Config
from faceengine.errors import ConfigError, InputError
from faceengine.events import OnEvent, ShouldStop, ignore

C = TypeVar("C", bound=Config)
Settings = TypeVar("Settings", bound=Config, contravariant=True)


class Result(Protocol):
    """What every stage gives back: a frozen dataclass with at least this."""

    @property
    def stopped(self) -> bool: ...


class Run(Protocol[Settings]):
    """The one function that every stage offers."""

    def __call__(self, config: Settings, run_dir: Path, *, on_event: OnEvent, should_stop: ShouldStop) -> Result: ...


def extract(arguments: Namespace, stop: Stop) -> bool:
    from faceengine.extraction.config import ExtractConfig

    config = _config(ExtractConfig, arguments, inputs=tuple(arguments.inputs))
    from faceengine.extraction.extract import run

    return _stage(run, config, arguments.out, arguments, stop)


def train(arguments: Namespace, stop: Stop) -> bool:
    from faceengine.training.config import TrainConfig

    config = _config(TrainConfig, arguments)
    from faceengine.training.train import run

    return _stage(run, config, arguments.run, arguments, stop)


def convert(arguments: Namespace, stop: Stop) -> bool:
    from faceengine.conversion.config import ConvertConfig

    config = _config(ConvertConfig, arguments, name=arguments.out.name)
    _choose_signer(arguments)
    from faceengine.conversion.convert import run

    return _stage(run, config, arguments.out.parent, arguments, stop)


def _choose_signer(arguments: Namespace) -> None:
    """Who signs is the environment's to say, as in a studio; what the command line names takes its place."""
    from faceengine.provenance.credentials import CERTIFICATES, KEY

    if arguments.signing_certificates is None and arguments.signing_key is None:
        return
    if arguments.signing_certificates is None or arguments.signing_key is None:
        raise ConfigError("sign.options", "--signing-certificates and --signing-key go together")
    os.environ |= {CERTIFICATES: str(arguments.signing_certificates), KEY: str(arguments.signing_key)}


def score(arguments: Namespace, stop: Stop) -> bool:
    from faceengine.evaluation.config import ScoreConfig

    config = _config(ScoreConfig, arguments, name=arguments.out.name)
    from faceengine.evaluation.score import run

    return _stage(run, config, arguments.out.parent, arguments, stop)


def weights(arguments: Namespace, stop: Stop) -> bool:
    from faceengine.cli.inventory import weights_here, weights_text

    if arguments.fetch is not None and arguments.if_online:
        return _fetch_if_online(arguments, stop)
    if arguments.fetch is not None:
        _fetch(arguments, stop)
    here = weights_here()
    print(json.dumps(here) if arguments.json else weights_text(here))
    return False


def info(arguments: Namespace, _stop: Stop) -> bool:
    from faceengine.cli.inventory import machine, machine_text

    found = machine()
    print(json.dumps(found) if arguments.json else machine_text(found))
    return False


def _fetch(arguments: Namespace, stop: Stop) -> None:
    """Get all weights that were asked for; one that fails keeps none of the others back."""
    from faceengine.weights import WEIGHTS, fetch, find

    if arguments.fetch not in ("all", *WEIGHTS):
        raise ConfigError("weights.unknown", f"no weights are called {arguments.fetch}; there are {', '.join(WEIGHTS)}")
    names = [name for name in WEIGHTS if find(name) is None] if arguments.fetch == "all" else [arguments.fetch]
    failed: list[InputError] = []
    with shown(arguments.json, stop.ask) as on_event:
        for name in names:
            try:
                fetch(name, on_event=on_event)
            except InputError as error:
                failed.append(error)
    if failed:
        raise InputError(failed[0].code, "; ".join(map(str, failed)))


def _fetch_if_online(arguments: Namespace, stop: Stop) -> bool:
    """Get what is missing and can be had, and tell of the rest in one line."""
    from faceengine.fetching import fetch_missing, in_words, off

    if off():
        return False
    try:
        with nullcontext(ignore) if arguments.quiet else shown(arguments.json, stop.ask) as on_event:
            found = fetch_missing(on_event=on_event, should_stop=stop.wanted)
    except InputError as error:
        print(f"Going on without fetching weights: {error} [{error.code}]", file=sys.stderr)
        return False
    if found.got:
        print(f"Fetched the weights {' and '.join(found.got)}", file=sys.stderr)
    if line := in_words(found):
        print(line, file=sys.stderr)
    return stop.wanted()


def _config(kind: type[C], arguments: Namespace, **more: Any) -> C:
    """The config of the arguments that were given; whatever was not keeps its default."""
    names = {field.name for field in dataclasses.fields(kind)}
    given = {name: value for name, value in vars(arguments).items() if name in names}
    return kind(**given | more)


def _stage(run: Run[C], config: C, folder: Path, arguments: Namespace, stop: Stop) -> bool:
    with shown(arguments.json, stop.ask) as on_event:
        result = run(config, folder, on_event=on_event, should_stop=stop.wanted)
    if not arguments.json:
        print(_summary(result))
    return result.stopped


def _summary(result: Any) -> str:
    """The result's plain fields, one a line, under ``done`` or ``stopped``."""
    lines = ["stopped; the same command goes on" if result.stopped else "done"]
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        if field.name != "stopped" and isinstance(value, str | int | float | Path):
            shown_value = f"{value:.4g}" if isinstance(value, float) else value
            lines.append(f"  {field.name.replace('_', ' ')}: {shown_value}")
    return "\n".join(lines)

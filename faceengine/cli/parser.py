"""The arguments of every command, built from the configs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceengine import __version__
from faceengine.cli import commands
from faceengine.cli.stopping import Stop

_EXITS = "exit codes: 0 done; 2 bad arguments; 3 an input or the disk can't be used; 75 stopped on request"


class Arguments(argparse.Namespace):
    """What the command line said: the config's fields, and these."""

    command: Callable[[Arguments, Stop], bool]
    json: bool


@dataclass(frozen=True)
class _Command:
    help: str
    add: Callable[[argparse.ArgumentParser], None]
    """Adds its arguments; only called for the command that was asked for, since it imports that stage's config."""
    run: Callable[[argparse.Namespace, Stop], bool]
    """Does the work; whether it was stopped."""


def parse(argv: Sequence[str]) -> Arguments:
    """Read ``argv``. Exits as argparse does: 0 after ``--help`` and ``--version``, 2 for bad arguments."""
    return _parser(argv).parse_args(argv, namespace=Arguments())


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m faceengine", description="From clips of two people to a swapped, scored video.", epilog=_EXITS
    )
    parser.add_argument("--version", action="version", version=f"faceengine {__version__}")
    children = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    asked = next((word for word in argv if not word.startswith("-")), None)
    for name, command in _COMMANDS.items():
        child = children.add_parser(name, help=command.help, description=command.help, epilog=_EXITS)
        child.add_argument("--json", action="store_true", help="print events as JSON lines on stdout, nothing else")
        child.set_defaults(command=command.run)
        if name == asked:
            command.add(child)
    return parser


def _extract(parser: argparse.ArgumentParser) -> None:
    from faceengine.extraction.config import ExtractConfig

    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="a video, a photo or a folder of photos")
    parser.add_argument("--out", required=True, type=Path, metavar="FACES", help="folder of the face set")
    ExtractConfig.add_arguments(parser, skip=["inputs"])


def _train(parser: argparse.ArgumentParser) -> None:
    from faceengine.training.config import TrainConfig

    parser.add_argument("--run", required=True, type=Path, help="folder of the run; a run that is there goes on")
    parser.add_argument(
        "--from",
        action=_From,
        metavar="RUN_OR_SNAPSHOT",
        default=argparse.SUPPRESS,
        help="run or checkpoint whose weights the new run begins with, or none for random weights (default: the base "
        "model, if there is one for these networks)",
    )
    TrainConfig.add_arguments(parser, skip=["start_from", "base"])


class _From(argparse.Action):
    """``none`` is no path, but says that the base model is not wanted either."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, _option: Any = None) -> None:
        if values == "none":
            namespace.base = False
        else:
            namespace.start_from = Path(values)


def _convert(parser: argparse.ArgumentParser) -> None:
    from faceengine.conversion.config import ConvertConfig

    parser.add_argument("video", type=Path, metavar="VIDEO", help="the video whose face is to be replaced")
    parser.add_argument(
        "--run", required=True, dest="model", type=Path, help="a training run's folder, or one checkpoint in it"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.mp4", help="the converted video")
    ConvertConfig.add_arguments(parser, skip=["video", "model", "name", "marks"])
    parser.add_argument(
        "--signing-certificates",
        type=Path,
        metavar="PEM",
        help="chain that signs the result, the signer's own certificate first (default: SIGNING_CERTIFICATES, or a "
        "private chain that is made in your data folder)",
    )
    parser.add_argument(
        "--signing-key", type=Path, metavar="PEM", help="its key, PKCS#8, not encrypted (default: SIGNING_KEY)"
    )


def _score(parser: argparse.ArgumentParser) -> None:
    from faceengine.evaluation.config import ScoreConfig

    parser.add_argument("result", type=Path, metavar="RESULT.mp4", help="the converted video")
    parser.add_argument("--out", required=True, type=Path, metavar="REPORT.json", help="the report")
    ScoreConfig.add_arguments(parser, skip=["result", "name"])


def _weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fetch",
        nargs="?",
        const="all",
        metavar="NAME",
        help="download these weights, or all that are not here, and check their hash",
    )
    parser.add_argument(
        "--if-online",
        action="store_true",
        help="with --fetch: go on without what can't be had, in one line; asks nobody where FETCH_WEIGHTS is 0",
    )
    parser.add_argument("--quiet", action="store_true", help="with --if-online: no progress, only what came of it")


def _info(_parser: argparse.ArgumentParser) -> None:
    pass


_COMMANDS = {
    "extract": _Command("cut the faces of a person out of videos and photos", _extract, commands.extract),
    "train": _Command("train a model that swaps two people's faces", _train, commands.train),
    "convert": _Command("replace a person's face in a video", _convert, commands.convert),
    "score": _Command("say by numbers how good a converted video is", _score, commands.score),
    "weights": _Command("list the networks' weights, or download them", _weights, commands.weights),
    "info": _Command("tell versions, device, threads, weights and ffmpeg", _info, commands.info),
}

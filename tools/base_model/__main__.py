"""Command line: ``python -m tools.base_model train``, ``… judge`` and ``… export``."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from faceengine.errors import EngineError
from faceengine.training.base import write
from faceengine.training.config import PRESETS
from tools.base_model.judge import judge
from tools.base_model.pairs import People
from tools.base_model.pretrain import Plan, load, pretrain


def _train(a: argparse.Namespace) -> None:
    asked_to_stop = False

    def stop(*_: object) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    plan = Plan(a.preset, a.iterations, a.swap, a.learning_rate, a.every, a.seed)
    done = pretrain(plan, People(a.faces), a.out, a.device, lambda: asked_to_stop)
    print(f"{done} iterations are in {a.out}; the same command goes on.")


def _judge(a: argparse.Namespace) -> None:
    people = People(a.faces)
    generator, header = load(a.out, len(people))
    print(f"after {header.iteration} iterations: {judge(generator, people)}")


def _export(a: argparse.Namespace) -> None:
    people = People(a.faces)
    generator, header = load(a.out, len(people))
    size, digest = write(a.file, generator.export(people.all_trained), generator.config, header.iteration)
    print(f"{a.file}: {size} bytes, SHA-256 {digest}. Put both into faceengine/weights.py.")


def main(arguments: list[str]) -> int:
    """Run a command; return the exit status."""
    parser = argparse.ArgumentParser("base_model", description="Pretrain the base model on synthetic people.")
    commands = parser.add_subparsers(required=True)
    for name, work in (("train", _train), ("judge", _judge), ("export", _export)):
        command = commands.add_parser(name, help=work.__doc__)
        command.add_argument("--faces", type=Path, required=True, help="folder that make synthetic-faces filled")
        command.add_argument("--out", type=Path, required=True, help="folder of checkpoints and preview sheets")
        command.set_defaults(work=work)
        if name == "train":
            command.add_argument("--preset", default="quick", choices=tuple(PRESETS), help="whose networks and losses")
            command.add_argument("--iterations", type=int, default=60_000)
            command.add_argument("--swap", type=float, default=0.6, help="how often the target is another person")
            command.add_argument("--learning-rate", type=float, default=2e-3)
            command.add_argument("--every", type=int, default=1000, help="iterations between two checkpoints")
            command.add_argument("--seed", type=int, default=0)
            command.add_argument("--device", default="auto")
        if name == "export":
            command.add_argument("--file", type=Path, required=True, help="the base weights to write, .safetensors")
    a = parser.parse_args(arguments)
    try:
        a.work(a)
    except (EngineError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

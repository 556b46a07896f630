"""The parts of the GPU check: ``python -m bench.gpu_parts PART --folder FOLDER`` prints its rows as JSON lines.

``gpu.py`` runs each in a process of its own. Within a part every measurement is guarded, too: what fails becomes a row
that says why and where, and the next one begins with the memory given back.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from bench.gpu import Row, row
from bench.gpu_checks import losses, waiting
from bench.gpu_setting import Setting
from bench.gpu_speed import batches, compiled, graphs, speeds
from bench.gpu_work import faces, training
from faceengine.device import choose_device

PARTS: dict[str, Callable[[Setting], Iterable[Row]]] = {
    part.__name__: part for part in (losses, faces, waiting, training, speeds, batches, compiled, graphs)
}


def main() -> int:
    parser = argparse.ArgumentParser("python -m bench.gpu_parts")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the CPU"
    _print(row(f"Measured on {name}, torch {torch.__version__}, CUDA {torch.version.cuda}.", ""))
    setting = Setting(device, arguments.folder, arguments.faces, arguments.keep, arguments.small)
    for found in PARTS[arguments.part](setting):
        _print(found)
    return 0


def _print(found: Row) -> None:
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    sys.exit(main())

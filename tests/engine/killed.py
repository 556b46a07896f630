"""The command line in processes that are to be killed: many that begin with PyTorch loaded, forked off one that isn't
used for anything else. To load it takes longer than what is killed is let live."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import torch

from faceengine.cli import main
from faceengine.training import train  # noqa: F401 - what the command line loads late

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def run(command: list[str], said: Path) -> None:
    """Be ``python -m faceengine COMMAND``, and write to the pipe ``said`` what that says."""
    torch.set_num_threads(1)
    with said.open("w") as events:
        os.dup2(events.fileno(), 1)
    sys.exit(main(command))

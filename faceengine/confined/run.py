"""Starting a command that reads a stranger's file."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from faceengine.confined.enter import ROOT
from faceengine.confined.limits import Limits, environment

_LAUNCH = Path(__file__).with_name("launch.py")
MOST_OUTPUT = 4 << 20
"""Bytes of what it says that are read."""


def start(
    command: Sequence[str],
    limits: Limits,
    *,
    reads: Iterable[Path] = (),
    writes: Iterable[Path] = (),
    variables: Mapping[str, str] | None = None,
    own_group: bool = True,
    **streams: Any,
) -> subprocess.Popen[bytes]:
    """Start ``command``, confined as :func:`enter.enter` says: a program's path or ``-m`` and a module, and arguments.

    It dies when the thread that calls this ends, and with ``own_group`` is the first of a process group of its own.
    ``variables`` come on top of :data:`limits.PLAIN`; ``streams`` are arguments of ``Popen``.
    """
    settings = {"limits": dataclasses.asdict(limits), "parent": os.getpid()}
    settings |= {"reads": [str(Path(path).absolute()) for path in reads]}
    settings |= {"writes": [str(Path(path).absolute()) for path in writes]}
    launcher = [sys.executable, "-P", str(_LAUNCH), json.dumps(settings)]
    streams.setdefault("stdin", subprocess.DEVNULL)
    # A GPU's driver is far too large to be let near a stranger's file.
    own = environment({"CUDA_VISIBLE_DEVICES": "", **(variables or {})})
    process: subprocess.Popen[bytes] = subprocess.Popen(
        [*launcher, *command], cwd=ROOT, env=own, start_new_session=own_group, **streams
    )
    return process


def run(command: Sequence[str], limits: Limits, *, seconds: float, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """Run ``command`` to its end, as :func:`start` does; its output and what it wrote of errors are in the answer.

    Raises ``subprocess.TimeoutExpired`` after ``seconds``; everything that it has started is killed then.
    """
    with start(command, limits, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more) as process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(list(command), process.returncode, output[:MOST_OUTPUT], errors)

"""``python -m faceengine.confined.launch SETTINGS COMMAND …``: confine this process, then become the command.

A command that begins with ``-m`` is a module of the studio, which is run in this very process: a new one could not list
the folder that the studio's packages are in.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
from pathlib import Path

from faceengine.confined.enter import enter
from faceengine.confined.limits import Limits


def main(settings: str, *command: str) -> None:
    said = json.loads(settings)
    reads, writes = ([Path(path) for path in said[name]] for name in ("reads", "writes"))
    if command[0] == "-m":
        importlib.import_module(command[1].partition(".")[0])
    enter(Limits(**said["limits"]), reads=reads, writes=writes, parent=said["parent"])
    if command[0] == "-m":
        sys.argv = list(command[1:])
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])

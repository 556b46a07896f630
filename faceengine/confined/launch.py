"""``python -P launch.py SETTINGS COMMAND …``: confine this process, then become the command.

A command that begins with ``-m`` is a module of the studio, which is run in this very process: a new one could not list
the folder that the studio's packages are in. A confined process can't either, and may start another one, so this file
is run by its path and loads the package itself.
"""

from __future__ import annotations

import importlib.util
import json
import os
import runpy
import sys
from pathlib import Path

ENGINE = Path(__file__).resolve().parents[1]


def main(settings: str, *command: str) -> None:
    _load_engine()
    from faceengine.confined.enter import enter
    from faceengine.confined.limits import Limits

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


def _load_engine() -> None:
    """Import ``faceengine`` without looking for it, and let other packages beside it be found."""
    sys.path.insert(0, str(ENGINE.parent))
    spec = importlib.util.spec_from_file_location(
        ENGINE.name, ENGINE / "__init__.py", submodule_search_locations=[str(ENGINE)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules[ENGINE.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[ENGINE.name])


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Check import-linter's contracts on the code as it is, with forbidden imports planted, and with new modules added.

A program of its own: import-linter's classes can't be made in a process in which Twisted is loaded. Prints JSON.
"""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from typing import Any

import grimp
from importlinter import Contract
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract

TYPES: dict[str, type[Contract]] = {"layers": LayersContract, "forbidden": ForbiddenContract}


def main(config_file: str, asked: str) -> None:
    """Print which contracts hold: by name as it is, for each of ``asked["planted"]`` (contract, importer, imported),
    and for each of ``asked["added"]`` (contract, module)."""
    config, wanted = read_configuration(config_file), json.loads(asked)
    session = config["session_options"]
    contracts = {one["name"]: TYPES[one["type"]](one["name"], session, one) for one in config["contracts_options"]}
    graph = grimp.build_graph(*session["root_packages"], include_external_packages=True, cache_dir=None)

    def holds(name: str, changed: grimp.ImportGraph) -> bool:
        try:
            return contracts[name].check(deepcopy(changed), verbose=False).kept
        except ValueError as error:  # a module that no layer has
            print(error, file=sys.stderr)
            return False

    found: dict[str, Any] = {
        "as it is": {name: holds(name, graph) for name in contracts},
        "planted": [holds(name, with_import(graph, *one)) for name, *one in wanted["planted"]],
        "added": [holds(name, with_module(graph, *one)) for name, *one in wanted["added"]],
    }
    print(json.dumps(found))


def with_import(graph: grimp.ImportGraph, importer: str, imported: str) -> grimp.ImportGraph:
    """Return a copy of the graph in which ``importer``, which must be there, imports ``imported``."""
    changed = deepcopy(graph)
    if importer not in changed.modules:
        raise LookupError(importer)
    if imported not in changed.modules:
        changed.add_module(imported, is_squashed=True)
    changed.add_import(importer=importer, imported=imported)
    return changed


def with_module(graph: grimp.ImportGraph, module: str) -> grimp.ImportGraph:
    """Return a copy of the graph with another module."""
    changed = deepcopy(graph)
    changed.add_module(module)
    return changed


if __name__ == "__main__":
    main(*sys.argv[1:])

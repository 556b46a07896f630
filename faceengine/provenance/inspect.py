"""``python -m faceengine.provenance.inspect FILE``: a stranger's file, read in a confined process that may die of it.

What it says is one JSON line: a :class:`Reading`, or ``{"code": …, "text": …}``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from faceengine.confined.limits import Limits
from faceengine.confined.run import run
from faceengine.errors import InputError

OURS, KNOWN = "VERIFY_OURS", "VERIFY_KNOWN"
"""Variables with the paths of the roots' certificates."""
MEMORY_MB = 4096
_CPU_SECONDS = 6
_BYTES_A_SECOND = 40 << 20
"""What it reads and hashes in a second at least, on a slow and busy machine."""
_WAITS = 3
"""A process gets a third of a processor at least."""


def inspect(path: Path, *, ours: Path | None = None, known: Path | None = None) -> dict[str, Any]:
    """What :func:`faceengine.provenance.reading.read` says of a file, as plain JSON, within limits.

    Raises :class:`InputError` ``verify.empty``, ``verify.unknown``, and ``verify.gave_up`` for a file that takes too
    much time or memory.
    """
    roots = {name: one for name, one in ((OURS, ours), (KNOWN, known)) if one is not None}
    seconds = _CPU_SECONDS + path.stat().st_size // _BYTES_A_SECOND
    try:
        ended = run(
            ["-m", "faceengine.provenance.inspect", str(path.absolute())],
            Limits(memory_mb=MEMORY_MB, cpu_seconds=seconds, open_files=64, processes=64),
            seconds=_WAITS * seconds,
            reads=[path, *roots.values()],
            variables={name: str(one.absolute()) for name, one in roots.items()},
        )
        said = json.loads(ended.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise InputError("verify.gave_up", "reading it took too much time or memory") from error
    if "code" in said:
        raise InputError(str(said["code"]), str(said["text"]))
    return dict(said)


def main() -> int:
    from faceengine.provenance.reading import read

    try:
        line = read(Path(sys.argv[1]), ours=_pem(OURS), known=_pem(KNOWN)).to_dict()
    except InputError as error:
        line = {"code": error.code, "text": str(error)}
    print(json.dumps(line))
    return 0


def _pem(name: str) -> str:
    path = os.environ.get(name)
    return Path(path).read_text() if path else ""


if __name__ == "__main__":
    sys.exit(main())

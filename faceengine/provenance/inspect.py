"""``python -m faceengine.provenance.inspect FILE``: a stranger's file, read in a process that may die of it.

What it says is one JSON line: a :class:`Reading`, or ``{"code": …, "text": …}``.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from faceengine.errors import InputError

OURS, KNOWN = "VERIFY_OURS", "VERIFY_KNOWN"
"""Variables with the paths of the roots' certificates."""
MEMORY = 4 << 30
SECONDS = 60


def inspect(path: Path, *, ours: Path | None = None, known: Path | None = None) -> dict[str, Any]:
    """What :func:`faceengine.provenance.reading.read` says of a file, as plain JSON, within limits.

    Raises :class:`InputError` ``verify.empty``, ``verify.unknown``, and ``verify.gave_up`` for a file that takes too
    much time or memory.
    """
    roots = {name: str(one) for name, one in ((OURS, ours), (KNOWN, known)) if one is not None}
    needed = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    root = str(Path(__file__).resolve().parents[2])
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "faceengine.provenance.inspect", str(path)],
            cwd=root,
            env=needed | roots,  # and nothing of ours: no secret, no proxy
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        said = json.loads(ended.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise InputError("verify.gave_up", "reading it took too much time or memory") from error
    if "code" in said:
        raise InputError(str(said["code"]), str(said["text"]))
    return dict(said)


def main() -> int:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
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

"""The command line: ``python -m faceengine COMMAND``.

==========  ==========================================================================================
exit code   meaning
==========  ==========================================================================================
0           done
1           an error that should not happen (with its traceback)
2           bad arguments
3           an input or the disk can't be used; one line on stderr says what and why
75          stopped on request (SIGINT, SIGTERM, the reader of ``--json`` gone); the same call goes on
==========  ==========================================================================================
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from faceengine.cli.failures import one_line
from faceengine.cli.parser import parse
from faceengine.cli.stopping import Stop
from faceengine.errors import EXIT_STOPPED

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``argv`` without the program's name."""
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
    except SystemExit as finished:  # argparse: --help, --version, or bad arguments that it has already explained
        return int(finished.code or 0)
    with Stop() as stop:
        try:
            return EXIT_STOPPED if arguments.command(arguments, stop) else 0
        except Exception as error:
            line = one_line(error)
            if line is None:
                raise
            print(f"faceengine: {line.text}", file=sys.stderr)
            return line.exit_code

"""The body of a job: one stage in a process of its own, told what to do by a file and telling all by JSON lines.

``python -m faceengine.body FUNCTION CONFIG_CLASS CONFIG.json RUN_DIR [--plan] [--parent PID] [--confined] …``

Its standard output is events, one JSON line each, and a last line that says how it ended::

    {"event": "result", "stopped": false, ...}          the fields of what the stage gave back
    {"event": "error", "code": "asset.missing", "text": "..."}

Its exit codes are those of the command line. Whatever libraries print goes to standard error instead.

With ``--parent`` there are two processes: a keeper, which the runner started, and the worker, which does all the work.
The keeper ends everything that the worker has started when the worker ends, or when the runner dies. So nothing of a
body outlives its runner, however that ends: the kernel tells the keeper of the runner's death, and kills the worker at
the keeper's.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from faceengine import given
from faceengine.confined.limits import Limits

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None)
_RANK = "RANK"
"""The variable by which torchrun tells a process which of its ranks it is."""
_RUNNER_DIED = signal.SIGUSR1
_CONFINED = Limits(memory_mb=8192, cpu_seconds=6 * 3600, file_mb=65_536)
"""Of a body that reads a stranger's file."""
_PASSED_ON = (signal.SIGTERM, signal.SIGINT)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parse(argv)
    if arguments.parent:
        _keep(arguments.parent)
    if arguments.given:
        given.take(arguments.given)
    _limit(arguments.memory_mb)
    if arguments.confined:
        _confine(arguments)
    if arguments.processes > 1:
        _become_torchrun(arguments)
    events = _take_stdout()

    # Nothing that costs memory or starts threads is loaded before the keeper has gone its own way.
    from faceengine.cli.stopping import Stop
    from faceengine.errors import EXIT_STOPPED
    from faceengine.events import to_json

    def say(line: str) -> None:
        events.write(line + "\n")
        events.flush()

    with Stop() as stop:
        try:
            result = _work(arguments, lambda event: say(to_json(event)), stop.wanted)
        except Exception as error:
            line, exit_code = _told(error)
            say(json.dumps(line))
            return exit_code
    say(json.dumps({"event": "result", **result}))
    # torchrun takes any code but 0 for a crash, and kills the other ranks; the last line says what happened.
    return EXIT_STOPPED if result.get("stopped") and _RANK not in os.environ else 0


def _work(arguments: argparse.Namespace, on_event: Callable[[Any], None], should_stop: Callable[[], bool]) -> Any:
    """Call the stage; its result as plain JSON."""
    from pkgutil import resolve_name

    config = resolve_name(arguments.config_class).from_dict(json.loads(arguments.config.read_text()))
    function = resolve_name(arguments.function)
    if arguments.plan:
        return {"parts": function(config)}
    result = function(config, arguments.run_dir, on_event=on_event, should_stop=should_stop)
    return _plain(result, arguments.run_dir)


def _plain(value: Any, run_dir: Path) -> Any:
    """JSON types only; a path in the run folder becomes relative to it, since other machines have that elsewhere."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name), run_dir) for field in dataclasses.fields(value)}
    if isinstance(value, Path):
        return str(value.relative_to(run_dir) if value.is_relative_to(run_dir) else value)
    if isinstance(value, dict):
        return {str(key): _plain(item, run_dir) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, run_dir) for item in value]
    return value


def _told(error: Exception) -> tuple[dict[str, str], int]:
    """The last line and the exit code for work that failed; the traceback goes to the log."""
    from faceengine.cli.failures import one_line

    traceback.print_exception(error)
    line = one_line(error)
    if line is None:
        return {"event": "error", "code": "body.defect", "text": f"{type(error).__name__}: {error}"}, 1
    return {"event": "error", "code": line.code, "text": line.sentence}, line.exit_code


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faceengine.body", description="Run one stage as the body of a job.")
    parser.add_argument("function", help="dotted path of the stage's function")
    parser.add_argument("config_class", help="dotted path of its config's class")
    parser.add_argument("config", type=Path, help="file with the config as JSON")
    parser.add_argument("run_dir", type=Path, help="the folder to work in")
    parser.add_argument("--plan", action="store_true", help="the function only plans parts: plan(config) -> list")
    parser.add_argument("--parent", type=int, default=0, help="the runner's process id; end when it does")
    parser.add_argument("--processes", type=int, default=1, help="ranks that do it together, through torchrun")
    parser.add_argument("--memory-mb", type=int, default=0, help="most memory (default: no limit)")
    parser.add_argument("--confined", action="store_true", help="read the config's files, write here, and nothing else")
    parser.add_argument("--given", type=int, default=0, help="a pipe with what nobody else may see")
    return parser.parse_args(argv)


def _limit(memory_mb: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_mb:
        # What it has written to, not what it has reserved: libraries reserve much more than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))


def _confine(arguments: argparse.Namespace) -> None:
    from pkgutil import resolve_name

    from faceengine.confined.enter import enter

    config = resolve_name(arguments.config_class).from_dict(json.loads(arguments.config.read_text()))
    enter(_CONFINED, reads=_paths(config), writes=[arguments.run_dir], parent=os.getppid())


def _paths(value: Any) -> list[Path]:
    """Return all paths in a config, at any depth."""
    if isinstance(value, Path):
        return [value]
    if dataclasses.is_dataclass(value):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    return [path for item in value for path in _paths(item)] if isinstance(value, list | tuple) else []


def _take_stdout() -> TextIO:
    """Standard output for this module alone: what anything else prints goes to standard error.

    Of the ranks of one body the first speaks for all.
    """
    sys.stdout.flush()
    speaks = os.environ.get(_RANK, "0") == "0"
    stream = os.dup(1) if speaks else os.open(os.devnull, os.O_WRONLY)
    # A file's name may be no text.
    events = os.fdopen(stream, "w", encoding="utf-8", errors="replace")
    os.dup2(2, 1)
    return events


def _become_torchrun(arguments: argparse.Namespace) -> None:
    """Go on as the agent that starts, and ends, this body once a rank."""
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(arguments.processes)]
    stage = [arguments.function, arguments.config_class, str(arguments.config), str(arguments.run_dir)]
    os.execv(sys.executable, [sys.executable, "-m", *torchrun, "-m", "faceengine.body", *stage])


# ---- the keeper ------------------------------------------------------------------------------------------------------


def _keep(runner: int) -> None:
    """Fork: return in the worker; the keeper stays in here until the worker has ended, and ends as it did."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)  # what comes now waits until there is a worker
    keeper, worker = os.getpid(), os.fork()
    if worker == 0:
        _die_with(keeper, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        return
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    for number in _PASSED_ON:
        signal.signal(number, lambda number, _: os.kill(worker, number))
    signal.signal(_RUNNER_DIED, lambda *_: os.kill(worker, signal.SIGKILL))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    _die_with(runner, _RUNNER_DIED)
    status = os.waitid(os.P_PID, worker, os.WEXITED | os.WNOWAIT)  # not reaped yet: the handlers may still signal it
    _kill_children()
    _end_as(status)


def _die_with(parent: int, number: signal.Signals) -> None:
    """Have the kernel send ``number`` to this process when ``parent`` dies, or do so if it is dead already."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def _kill_children() -> None:
    """Kill all that descend from this process: being their subreaper, it inherits those whose parents die."""
    while True:
        for child in _children(os.getpid()):
            os.kill(child, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


def _children(parent: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            # "pid (name) state ppid …", where the name may contain anything
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == parent:
                yield int(stat.parent.name)


def _end_as(ended: os.waitid_result | None) -> None:
    """End this process with the exit code or by the signal that ended the worker."""
    assert ended is not None
    if ended.si_code == os.CLD_EXITED:
        os._exit(ended.si_status)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ended.si_status not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(ended.si_status, signal.SIG_DFL)
    os.kill(os.getpid(), ended.si_status)


if __name__ == "__main__":
    sys.exit(main())

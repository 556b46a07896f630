"""Runs one job: claims it, has its body do the work, tells the ledger what it hears, and how it ended."""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from faceengine.cli.failures import one_line
from faceengine.events import Checkpoint, Event, Message, Progress, from_json
from faceengine.jobs import disk, kinds, transitions
from faceengine.jobs.environment import environment_of
from faceengine.jobs.models import Job, Slot
from faceengine.jobs.process import Process
from faceengine.jobs.watch import Watch
from faceengine.jobs.workspace import config_class, workspace_of

log = logging.getLogger(__name__)
AnswerT = TypeVar("AnswerT")

AWAY = (OperationalError, InterfaceError)
"""What Django raises when the database does not answer, is locked or full: all of that passes."""

_TOLD_SECONDS = 0.2
"""Between two writes of what was heard: five a second, and of progress only the last."""
_RETRY_SECONDS = 1.0
_PASSING = ("body.defect", "folder.busy", "store.unreachable")
"""Errors that may be gone at the next try. All others would come again."""


def run_next(slot: Slot, *, stopping: Callable[[], bool]) -> Job | None:
    """Run the best queued job of ``slot``'s kind to its end; ``None`` if there is none. For the main thread only.

    ``stopping``: asked several times a second; true sends the job back to its queue, with all that it has reached.
    """
    job = transitions.claim(slot)
    if job is not None:
        log.info("%s: begins %s %s, attempt %d", slot, job.kind, job.id, job.attempt)
        Run(job, slot, stopping).carry_out()
    return job


@dataclass(frozen=True)
class End:
    """How a body ended: its exit code, and its last line, if that was one."""

    exit_code: int
    last: dict[str, Any]

    @property
    def result(self) -> dict[str, Any] | None:
        """The fields of the stage's result."""
        if self.last.get("event") != "result":
            return None
        return {name: value for name, value in self.last.items() if name != "event"}


class Run:
    """One attempt at one job."""

    def __init__(self, job: Job, slot: Slot, stopping: Callable[[], bool]) -> None:
        self.job = job
        self.kind = kinds.get(job.kind)
        self.slot = slot
        self.watch = Watch(job, stopping, self.kind.silent_after, self.kind.longest)
        self.journal = Journal(job, self.watch)

    def carry_out(self) -> None:
        self.watch.start()
        workspace = None
        try:
            workspace = self.workspace = workspace_of(self.job, self.job.attempt, give_up=self.watch.unwanted)
            self._work(workspace.enter())
        except Exception as error:
            self._failed(error)
        finally:
            if self.watch.fenced.is_set():
                self._tell(transitions.returned)
            if workspace is not None:
                self._tidy()
            self._let_go()
            self.watch.end()
            connection.close_if_unusable_or_obsolete()

    def _work(self, run_dir: Path) -> None:
        split = self.kind.split
        if self.job.step == "plan" and split is not None:
            end = self._body(split.plan, self.job.config, run_dir, "--plan")
            parts = (end.result or {}).get("parts")
            if parts is None or self.watch.fenced.is_set():
                return self._settle(end)
            if len(parts) > 1:
                self._tell(transitions.split, parts)
                return None
        joins = self.job.step == "join" and split is not None
        function = split.join if joins and split is not None else self.kind.function
        config = self._join_config() if joins else self.job.config
        ranks = () if joins else ("--processes", str(self.kind.processes))
        return self._settle(self._body(function, config, run_dir, *ranks))

    def _join_config(self) -> dict[str, Any]:
        """What the join knows of the job's own fields, and what its parts gave, with names in place of their paths."""
        known = {field.name for field in fields(config_class(self.job))}
        parts = [
            part.result | {"path": f"{part.folder}/{part.result['path']}"}
            for part in self.job.parts.order_by("index")
            if part.result is not None
        ]
        return {name: value for name, value in self.job.config.items() if name in known} | {"parts": parts}

    # ---- the body ----------------------------------------------------------------------------------------------------

    def _body(self, function: str, config: dict[str, Any], run_dir: Path, *options: str) -> End:
        """Run ``function`` in a process of its own, and tell the ledger what it tells."""
        self.kind.before(self.job)
        path = run_dir / ".config.json"
        path.write_text(json.dumps(self.workspace.localise(config)))
        loaded = config_class(self.job)
        class_path = f"{loaded.__module__}.{loaded.__qualname__}"
        with self.workspace.log_path().open("ab") as file:
            process = self._start([function, class_path, str(path), str(run_dir), *options], file)
            self.watch.over(process, run_dir if self.kind.counted else None)
            try:
                last = self._listen(process, file)
            except BaseException:
                process.kill()
                raise
            finally:
                exit_code = process.wait()
        self.journal.write()
        if self.kind.counted:
            self._tell(partial(transitions.measured, at_end=True), disk.bytes_in(run_dir))
        return End(exit_code, last)

    def _start(self, arguments: list[str], log_file: IO[bytes]) -> Process:
        if self.kind.confined:
            arguments.append("--confined")
        environment, given = environment_of(self.kind, self.slot), self.kind.given(self.job)
        # CUDA reserves more than it uses; there only what somebody set is a limit of each process as well.
        limited = self.slot.kind != "gpu" or settings.JOBS_MEMORY_LIMIT_MB
        memory_mb = self.watch.memory_mb if limited else 0
        return Process(arguments, log_file, environment, given=given, memory_mb=memory_mb)

    def _listen(self, process: Process, log_file: IO[bytes]) -> dict[str, Any]:
        """Hear the body out; its last words."""
        last: dict[str, Any] = {}
        while (line := process.line(_TOLD_SECONDS)) is not None:
            if line:
                last = self._hear(line, last, log_file)
            elif process.ended():  # something that it left behind keeps its standard output open
                break
            self.journal.write_if_due()
            if self.workspace.due():
                self._save()
        return last

    def _hear(self, line: bytes, last: dict[str, Any], log_file: IO[bytes]) -> dict[str, Any]:
        """Take one line; the body's last words if this is what they are, otherwise ``last``."""
        self.watch.heard()
        try:
            text = line.decode()
            event = from_json(text)
        except ValueError:
            words = _last_words(line)
            if words is None:
                log_file.write(line)
                log_file.flush()
                self.journal.complain(line)
            return words or last
        if isinstance(event, Checkpoint):
            self._save()
        self.journal.add(event)
        return last

    def _save(self) -> None:
        """Publish the files before the ledger says that there is a checkpoint."""
        self.journal.write()
        if files := self.workspace.save():
            self._tell(transitions.publish, files)

    # ---- the end -----------------------------------------------------------------------------------------------------

    def _settle(self, end: End) -> None:
        """Tell the ledger how the body ended. What it said counts; the exit code only where it said nothing."""
        if self.watch.fenced.is_set():
            log.warning("job %s: attempt %d was given up; its body is killed", self.job.id, self.job.attempt)
        elif self.watch.greedy:
            text = f"its processes took more than {self.watch.memory_mb} MB of memory together"
            self._tell(transitions.fail, "memory.full", text, end.exit_code)
        elif self.watch.late:
            text = f"it was not done in {self.kind.longest:g} s"
            self._tell(transitions.fail, "body.late", text, end.exit_code)
        elif self.watch.hung:
            self._died("body.hung", f"nothing was heard of it for {self.kind.silent_after:g} s", end.exit_code)
        elif end.result is not None and not end.result.get("stopped"):
            self._finish(end.result, end.exit_code)
        elif end.last.get("event") == "error":
            self._error(str(end.last.get("code")), str(end.last.get("text")), end.exit_code)
        elif self.watch.asked and (self.watch.killed or end.result is not None or end.exit_code == -signal.SIGTERM):
            self._save_stopped()
            self._tell(transitions.stopped, end.exit_code)
        elif end.exit_code == 0:
            self._tell(transitions.fail, "body.no_result", "it ended well but said nothing of a result", end.exit_code)
        else:
            self._died(*_sudden_end(end), end.exit_code)

    def _finish(self, result: dict[str, Any], exit_code: int) -> None:
        if files := self.workspace.save(final=True):
            self._tell(transitions.publish, files)
        if exit_code:
            text = f"the work was done, but its process {_how(exit_code)} afterwards"
            self.journal.add(Message("warning", "body.late_crash", text))
            self.journal.write()
        self._tell(transitions.finish, result, exit_code)

    def _save_stopped(self) -> None:
        if not self.watch.killed and (files := self.workspace.save()):
            self._tell(transitions.publish, files)

    def _error(self, code: str, text: str, exit_code: int | None) -> None:
        if code not in _PASSING:
            self._tell(transitions.fail, code, text, exit_code)
            return
        if code == "folder.busy":
            # An attempt that was given up is still being killed.
            time.sleep(settings.JOBS_HEARTBEAT_SECONDS)
        self._died(code, text, exit_code)

    def _died(self, code: str, text: str, exit_code: int | None) -> None:
        log.warning("job %s: attempt %d: %s: %s", self.job.id, self.job.attempt, code, text)
        self._tell(transitions.died, code, text, exit_code)

    def _failed(self, error: Exception) -> None:
        """Something other than the body failed: a file that is gone, a store that is away, a defect of the runner."""
        line = one_line(error)
        if line is None:
            log.exception("job %s: the runner failed", self.job.id)
            self._died("runner.defect", f"{type(error).__name__}: {error}", None)
        else:
            self._error(line.code, line.sentence, None)

    def _tidy(self) -> None:
        try:
            self.workspace.publish_log()
            self.workspace.clean()
        except Exception:
            log.exception("job %s: its files could not be tidied up", self.job.id)

    def _let_go(self) -> None:
        try:
            self.kind.on_gone(self.job)
        except Exception:
            log.exception("job %s: a hook failed", self.job.id)

    def _tell(self, change: Callable[..., AnswerT], *arguments: Any) -> AnswerT | None:
        return patiently(lambda: change(self.job.id, self.job.attempt, *arguments), self.watch)


class Journal:
    """What the body told, until the ledger has it. Nothing but progress is ever dropped."""

    def __init__(self, job: Job, watch: Watch) -> None:
        self._job = job
        self._watch = watch
        self._events: list[Event] = []
        self._written_at = 0.0
        self._complained = False

    def add(self, event: Event) -> None:
        if isinstance(event, Progress) and self._events and isinstance(self._events[-1], Progress):
            self._events.pop()
        self._events.append(event)

    def complain(self, line: bytes) -> None:
        """Say, once, that the body says things that are no events."""
        if not self._complained:
            self._complained = True
            text = f"it printed what is no event; its log has all of it: {line[:200].decode(errors='replace').strip()}"
            self.add(Message("warning", "body.garbage", text))

    def write_if_due(self) -> None:
        """Tell the ledger, unless it was told a moment ago; if it does not answer, the events wait for next time."""
        if not self._events or time.monotonic() - self._written_at < _TOLD_SECONDS:
            return
        self._written_at = time.monotonic()
        try:
            self._record()
        except AWAY:
            connection.close()
            self._written_at += _RETRY_SECONDS

    def write(self) -> None:
        """Tell the ledger, however long it takes to answer."""
        if self._events:
            patiently(self._record, self._watch)

    def _record(self) -> None:
        if not transitions.record(self._job.id, self._job.attempt, self._events):
            self._watch.fenced.set()
        self._events = []


def patiently(call: Callable[[], AnswerT], watch: Watch) -> AnswerT | None:
    """``call()``, again and again while the database does not answer; ``None`` if it is no longer worth it."""
    while True:
        try:
            return call()
        except AWAY as error:
            if watch.gives_up():
                log.warning("the ledger can't be told (%s); the job's lease will run out", error)
                return None
            connection.close()
            time.sleep(_RETRY_SECONDS)


def _last_words(line: bytes) -> dict[str, Any] | None:
    try:
        words = json.loads(line)
    except ValueError:
        return None
    return words if isinstance(words, dict) and words.get("event") in ("result", "error") else None


def _sudden_end(end: End) -> tuple[str, str]:
    """Code and sentence for a body that ended without having said why."""
    if end.result is not None or end.exit_code == 75:
        return "body.stopped", "it stopped though nobody had asked it to"
    if end.exit_code < 0:
        return "body.killed", f"its process {_how(end.exit_code)}"
    return "body.died", f"its process {_how(end.exit_code)} and said nothing of why"


def _how(exit_code: int) -> str:
    return f"was killed by signal {-exit_code}" if exit_code < 0 else f"ended with exit code {exit_code}"

"""The errors that a person is meant to read: a stable code, one clear sentence, an exit code."""

from __future__ import annotations


class EngineError(Exception):
    """Work that can't go on. ``code`` never changes (pages translate it); ``str(error)`` says what and why."""

    exit_code = 1

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class ConfigError(EngineError):
    """A setting that is out of range, unknown, or contradicts another one."""

    exit_code = 2


class InputError(EngineError):
    """A file or folder that can't be used: missing, damaged, empty, too large, of the wrong kind, locked."""

    exit_code = 3


EXIT_STOPPED = 75
"""Exit code of work that was stopped on request and left everything ready to go on (``EX_TEMPFAIL``)."""

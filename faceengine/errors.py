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

_MEMORY_WORDS = (
    "out of memory",
    "an't allocate memory",
    "annot allocate memory",
    "ALLOC_FAILED",
    "nsufficient memory",
)
"""What CUDA, PyTorch's allocator for the CPU, the system, cuBLAS and cuDNN, and OpenCV say."""


def out_of_memory(error: BaseException) -> bool:
    """Return whether ``error`` says that memory ran out, on a GPU or not. Only some libraries have a type for that."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return not isinstance(error, EngineError) and any(words in str(error) for words in _MEMORY_WORDS)

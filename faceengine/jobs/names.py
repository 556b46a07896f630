"""Names of files in the storage: ``jobs/<id>/previews/000300.png``, ``projects/…/clip.mp4``. Never paths.

A file has one name. Another spelling of it (``a//b``, ``a/./b``, ``b/``, another Unicode form) is refused where it
comes in, so that a decision by name is a decision about the file that is handed out.
"""

from __future__ import annotations

import unicodedata
import uuid
from dataclasses import dataclass
from enum import Enum, auto

from faceengine.errors import InputError
from faceengine.jobs.models import Job

_LONGEST, _LONGEST_PART = 1000, 255
"""Bytes; file systems take no more."""
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories of characters that a name has none of: nobody sees them, or they are no characters."""


class Role(Enum):
    """What a job's file is: what consents and marks it needs depends on that."""

    CHECKPOINT = auto()
    PICTURE = auto()
    VIDEO = auto()
    LOG = auto()
    """What a job process wrote to its standard error."""
    TEXT = auto()
    """Numbers and words, as lines or JSON."""
    DATABASE = auto()
    """What programs look things up in. It is not handed out: it has paths of the machine in it."""
    OTHER = auto()


_TYPES = {
    ".safetensors": (Role.CHECKPOINT, "application/octet-stream"),
    ".png": (Role.PICTURE, "image/png"),
    ".jpg": (Role.PICTURE, "image/jpeg"),
    ".jpeg": (Role.PICTURE, "image/jpeg"),
    ".webp": (Role.PICTURE, "image/webp"),
    ".mp4": (Role.VIDEO, "video/mp4"),
    ".webm": (Role.VIDEO, "video/webm"),
    ".mov": (Role.VIDEO, "application/octet-stream"),
    ".mkv": (Role.VIDEO, "application/octet-stream"),
    **dict.fromkeys((".json", ".jsonl", ".csv", ".txt", ".log"), (Role.TEXT, "application/octet-stream")),
    **dict.fromkeys((".sqlite", ".sqlite-wal", ".sqlite-shm"), (Role.DATABASE, "application/octet-stream")),
}
"""Role and media type by ending: a file is never shown as a picture or video that is not treated as one."""
_FOLDERS = {"checkpoints": Role.CHECKPOINT, "logs": Role.LOG}
"""Folders of a job that hold nothing else."""


@dataclass(frozen=True)
class FileName:
    """The name of a file within its job's folder. Making one of a text that is no such name raises
    :class:`InputError` ``asset.name``; so consents, marks and the answer see the same file."""

    text: str

    def __post_init__(self) -> None:
        if not is_normal(self.text) or any(part.startswith(".") for part in self.text.split("/")):
            raise _no_name(self.text)

    def __str__(self) -> str:
        return self.text

    @property
    def last(self) -> str:
        """The name without folders."""
        return self.text.rpartition("/")[2]

    @property
    def role(self) -> Role:
        folder, slash, _ = self.text.partition("/")
        in_folder = _FOLDERS.get(folder.casefold()) if slash else None
        return in_folder or _TYPES.get(self._ending, (Role.OTHER, ""))[0]

    @property
    def content_type(self) -> str:
        """The media type of the file's content."""
        if self.role == Role.LOG:
            return "text/plain; charset=utf-8"
        return _TYPES.get(self._ending, (Role.OTHER, "application/octet-stream"))[1]

    @property
    def _ending(self) -> str:
        return "." + self.last.rpartition(".")[2].casefold()


def is_normal(name: str) -> bool:
    """Return whether ``name`` is spelled as names in the storage are: parts with one slash between them, NFC."""
    if len(name.encode(errors="replace")) > _LONGEST or not unicodedata.is_normalized("NFC", name):
        return False
    if "\\" in name or any(unicodedata.category(character) in _UNSEEN for character in name):
        return False
    return all(_is_normal_part(part) for part in name.split("/"))


def _is_normal_part(part: str) -> bool:
    return part not in ("", ".", "..") and part == part.strip() and len(part.encode()) <= _LONGEST_PART


def checked(name: str) -> str:
    """Return ``name`` if it stays inside the storage and is spelled as names are. Raises :class:`InputError`
    ``asset.name`` otherwise."""
    if not is_normal(name):
        raise _no_name(name)
    return name


def _no_name(name: str) -> InputError:
    return InputError("asset.name", f"{name[:200]!r} is no name of a file in the storage")


def missing(name: str) -> InputError:
    """The error for something that a job needs and the storage does not have (any more)."""
    return InputError("asset.missing", f"{name} is not in the storage: it was deleted, or never got there")


def log_of(attempt: int) -> FileName:
    """Return the name of an attempt's log within its job's folder."""
    return FileName(f"logs/{attempt}.log")


def log_name(job: Job, attempt: int) -> str:
    """As :attr:`Attempt.log`."""
    return f"{job.folder}/{log_of(attempt)}"


def key_of(job: Job, name: str | FileName) -> str:
    """What the storage calls the file that is ``name`` within the job's folder."""
    return str(job.files.get(str(name), f"{job.folder}/{name}"))


def in_job(name: str) -> tuple[uuid.UUID, str] | None:
    """The job whose folder ``name`` lies in, and the rest of the name; ``None`` for all other names."""
    first, _, rest = name.partition("/")
    job, _, inside = rest.partition("/")
    try:
        return (uuid.UUID(job), inside) if first == "jobs" else None
    except ValueError:
        return None

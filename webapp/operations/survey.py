"""What every file is of, and which may go: those that no row of the database names, and what is past its time.

Whatever is not recognised stays. So does what is young: a file may be there before its row is.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from uuid import UUID

from faceengine.jobs import kinds
from faceengine.jobs.names import in_job
from faceengine.jobs.scratch import is_free
from webapp.operations.known import Known
from webapp.operations.places import Found, Root, everything
from webapp.provenance.arriving import KEEP_SECONDS

YOUNG_SECONDS = 24 * 3600
"""What was written so lately may be about to get its row."""
_HIDDEN_PART = re.compile(r"\.[^/]*\.part(\.[^/.]+)?$")
_THUMB = re.compile(r"projects/\d+/[ab]/thumbs/\d+/(\d+)\.webp$")
_ARRIVAL = re.compile(r"projects/\d+/[ab]/arrivals/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/file$")
_PROJECT = re.compile(r"projects/(\d+)/")
_CACHED_JOB = re.compile(r"\.?jobs\+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\+")


class Kind(StrEnum):
    """What space is used for, besides the files of jobs: those count for the category that their kind names."""

    PICTURES = "pictures"
    EVIDENCE = "evidence"
    LOGS = "logs"
    ARRIVING = "arriving"
    SCRATCH = "scratch"
    CACHE = "cache"
    OTHER = "other"


class Why(StrEnum):
    """Why a file may go."""

    EXPIRED = "expired"
    """Of an upload that was broken off, and can't be gone on with."""
    NOBODY_S = "nobody-s"
    """No row names it."""
    LEFT = "left"
    """A half of a file, or an attempt's scratch, whose process is dead."""
    OLD_LOG = "old-log"
    OLD_COPY = "old-copy"
    """This machine's copy of what is gone."""


@dataclass
class Amount:
    """Of some files."""

    files: int = 0
    size: int = 0

    def add(self, file: Found) -> None:
        self.files += 1
        self.size += file.size


@dataclass
class Survey:
    """Space by category, and what may go by reason."""

    space: dict[str, Amount] = field(default_factory=lambda: defaultdict(Amount))
    going: dict[Why, list[Found]] = field(default_factory=lambda: defaultdict(list))


def survey() -> Survey:
    """Look at every file. Files first, rows then: see :class:`Known`."""
    files = list(everything())
    look, result = _Look(Known()), Survey()
    for file in files:
        kind, why = look.at(file)
        result.space[kind].add(file)
        if why is not None:
            result.going[why].append(file)
    return result


class _Look:
    def __init__(self, known: Known) -> None:
        self.known = known
        self.now = time.time()
        self.is_free = cache(is_free)

    def at(self, file: Found) -> tuple[str, Why | None]:
        """Of what it is, and why it may go; ``None``: it may not."""
        if file.root == Root.STORAGE and file.name in self.known.names:
            return self._stored(file)[0], None
        looks = {
            Root.STORAGE: self._stored,
            Root.UPLOADS: self._upload,
            Root.VERIFY: self._sent,
            Root.SCRATCH: self._scratch,
        }
        return looks[file.root](file)

    def _old(self, file: Found, seconds: float = YOUNG_SECONDS) -> bool:
        return self.now - file.written > seconds

    def _if_old(self, file: Found, why: Why) -> Why | None:
        return why if self._old(file) else None

    def _stored(self, file: Found) -> tuple[str, Why | None]:
        found = in_job(file.name)
        if found is not None:
            return self._of_job(file, *found)
        if project := _PROJECT.match(file.name):
            return self._of_project(file, int(project[1]))
        if file.parts[0] == "consents":
            return Kind.EVIDENCE, self._if_old(file, Why.NOBODY_S) if len(file.parts) == 2 else None
        return Kind.OTHER, None

    def _of_job(self, file: Found, job: UUID, inside: str) -> tuple[str, Why | None]:
        if job not in self.known.kinds:
            return Kind.OTHER, None if job in self.known.spoken_of else self._if_old(file, Why.NOBODY_S)
        if inside.startswith("logs/"):
            number = inside.removeprefix("logs/").removesuffix(".log")
            is_old = number.isascii() and number.isdigit() and (job, int(number)) in self.known.old_logs
            return Kind.LOGS, Why.OLD_LOG if is_old else None
        kind = kinds.presentation_of(self.known.kinds[job]).storage.name
        half = _HIDDEN_PART.search(file.parts[-1]) and job in self.known.ended
        return kind, self._if_old(file, Why.LEFT) if half else None

    def _of_project(self, file: Found, project: int) -> tuple[str, Why | None]:
        thumb, arrival = _THUMB.match(file.name), _ARRIVAL.match(file.name)
        kind = Kind.PICTURES if thumb else Kind.ARRIVING if arrival else Kind.OTHER
        if project not in self.known.projects:
            spoken_of = project in self.known.projects_spoken_of
            return kind, None if spoken_of else self._if_old(file, Why.NOBODY_S)
        if project in self.known.projects_spoken_of and kind != Kind.PICTURES:
            return kind, None
        nobody_s = thumb is not None and int(thumb[1]) not in self.known.crops
        nobody_s |= arrival is not None and UUID(arrival[1]) not in self.known.arriving
        return kind, self._if_old(file, Why.NOBODY_S) if nobody_s else None

    def _upload(self, file: Found) -> tuple[str, Why | None]:
        try:
            upload = UUID(file.parts[0])
        except ValueError:
            return Kind.OTHER, None
        if upload in self.known.expired:
            return Kind.ARRIVING, Why.EXPIRED
        return Kind.ARRIVING, None if upload in self.known.arriving else self._if_old(file, Why.NOBODY_S)

    def _sent(self, file: Found) -> tuple[str, Why | None]:
        return Kind.ARRIVING, Why.EXPIRED if self._old(file, KEEP_SECONDS) else None

    def _scratch(self, file: Found) -> tuple[str, Why | None]:
        if file.parts[0] == "attempts" and len(file.parts) > 1:
            name = file.parts[1].removesuffix(".lock")
            dead = not file.parts[1].startswith(".") and self.is_free(name)
            return Kind.SCRATCH, self._if_old(file, Why.LEFT) if dead else None
        if file.parts[0] == "cache" and len(file.parts) == 2:
            job = _CACHED_JOB.match(file.parts[1])
            gone = job is not None and UUID(job[1]) not in self.known.in_use
            half = file.parts[1].startswith(".") and file.parts[1].endswith(".part")
            return Kind.CACHE, Why.OLD_COPY if gone else self._if_old(file, Why.LEFT) if half else None
        return Kind.OTHER, None

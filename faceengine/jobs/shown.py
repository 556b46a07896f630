"""What the pages show of a job."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.db.models import Count

from faceengine.errors import ConfigError
from faceengine.jobs import groups, kinds, queries, words
from faceengine.jobs.access import may_steer, may_watch, steerable
from faceengine.jobs.models import Attempt, Job, Slot
from faceengine.jobs.paths import hide_paths
from faceengine.jobs.states import OPEN, Desired, State

LOG_TAIL = 1 << 16
"""Bytes of a log that its page shows."""


class _Places:
    """Of what the jobs of a page are parts: read once, when it is first asked."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs

    @cached_property
    def found(self) -> Mapping[UUID, groups.Place]:
        return groups.known().places(self._jobs)


class Row:
    """A job as the pages show it to somebody: what it waits for, of what it is a part, and what may be done with it."""

    def __init__(
        self,
        job: Job,
        steerable: bool,
        lookout: queries.Lookout | None = None,
        places: _Places | None = None,
        *,
        may_overtake: bool = False,
    ) -> None:
        self.job = job
        self.steerable = steerable
        self._may_overtake = may_overtake
        self._places = places or _Places([job])
        self._lookout = lookout

    @property
    def place(self) -> groups.Place | None:
        """Of what it is a part."""
        return self._places.found.get(self.job.pk)

    @property
    def waiting(self) -> str:
        """For what it waits, in words; empty while it works and after its end."""
        if self.job.state not in (State.QUEUED, State.WAITING, State.PAUSED):
            return ""
        return words.waiting(queries.waiting_for(self.job, self._lookout))

    @property
    def asked(self) -> str:
        """What a running job has been asked to do but has not done yet."""
        return self.job.desired if self.job.state in OPEN and self.job.desired != Desired.RUN else ""

    @property
    def changes(self) -> list[str]:
        """Which changes make sense now."""
        if not self.steerable or self.job.parent_id:
            return []
        wanted = {
            "resume": self.job.state == State.PAUSED or self.asked == Desired.PAUSE,
            "pause": self.job.state in (State.QUEUED, State.RUNNING, State.WAITING) and not self.asked,
            "cancel": self.job.state in OPEN and self.asked != Desired.CANCEL,
            "retry": self.job.state in (State.FAILED, State.CANCELLED),
        }
        return [change for change, sensible in wanted.items() if sensible]

    @property
    def moves(self) -> list[str]:
        """How it may be moved in its queue; who runs the installation may let it go before other groups' jobs."""
        if not self.steerable or self.job.state != State.QUEUED:
            return []
        return ["up", "front", *(["raise", "lower"] if self._may_overtake else [])]


def row(user: Any, job: Job) -> Row:
    """The job as its page shows it to ``user``."""
    return Row(job, may_steer(user, job), may_overtake=user.is_staff)


def rows(user: Any, *lists: Iterable[Job]) -> list[list[Row]]:
    """Lists of jobs as one page shows them; it is asked once for all of them what ``user`` may do."""
    found = [list(jobs) for jobs in lists]
    every = [job for jobs in found for job in jobs]
    able, places, lookout = steerable(user, every), _Places(every), queries.Lookout()
    staff = user.is_staff
    return [[Row(job, job.pk in able, lookout, places, may_overtake=staff) for job in jobs] for jobs in found]


def slots(user: Any) -> list[tuple[Slot, bool, Job | None]]:
    """The live slots, whether each works, and on what, if ``user`` may know of it."""
    running = {job.slot_id: job for job in Job.objects.filter(state=State.RUNNING).exclude(slot=None)}
    found = [(slot, running.get(slot.pk)) for slot in queries.live_slots()]
    theirs = set(groups.known().of_user(user)) if running else set()

    def may_know(job: Job) -> bool:
        """Asked of each only for jobs that are nobody's: a hundred slots are no hundred queries."""
        return may_watch(user, job) if job.group is None else job.group in theirs

    return [(slot, job is not None, job if job and may_know(job) else None) for slot, job in found]


def part_counts(job: Job) -> list[tuple[str, int]]:
    """How many of its parts stand where; a job has parts once it is to join them."""
    if job.step != "join":
        return []
    counts = dict(job.parts.order_by().values_list("state").annotate(Count("pk")))
    return [(str(State(state).label), counts[state]) for state in State.values if state in counts]


def previews(job: Job) -> list[dict[str, Any]]:
    """Every preview that was kept, oldest first; of one drawn twice the later."""
    shown = {data["iteration"]: data for data in job.events.filter(kind="preview").values_list("data", flat=True)}
    return [shown[iteration] for iteration in sorted(shown)]


def live(job: Job, previews: list[dict[str, Any]], has_losses: bool) -> dict[str, Any]:
    """What ``jobs/_live.html`` and the scripts of a job's page want; ``previews`` as :func:`previews` gives them."""
    presentation = kinds.presentation_of(job.kind)
    return {
        "previews": previews,
        "has_losses": has_losses,
        "shows_losses": has_losses or presentation.losses,
        "preview_at": presentation.caption.short,
        "preview_alt": presentation.caption.long,
        "stage_words": {name: str(text) for name, text in words.stages(job.kind).items()},
        "unit_words": {name: str(text) for name, text in words.units(job.kind).items()},
    }


def settings(job: Job) -> list[tuple[str, str, Any, bool]]:
    """Name, help, value and whether it is other than the default, of each of the config's fields."""
    try:
        config = kinds.get(job.kind).config.from_dict(job.config)
    except (ConfigError, kinds.UnknownKindError):
        return [(name, "", value, True) for name, value in job.config.items()]
    plain = config.to_dict()
    return [
        (field.name, field.metadata.get("help", ""), plain[field.name], getattr(config, field.name) != field.default)
        for field in dataclasses.fields(config)
    ]


def log_tail(attempt: Attempt) -> tuple[str, bool]:
    """The log's last bytes as text without the machine's paths, and whether that is all of it."""
    try:
        with default_storage.open(attempt.log) as file:
            start = max(0, file.size - LOG_TAIL)
            file.seek(start)
            return hide_paths(file.read().decode(errors="replace")), start == 0
    except FileNotFoundError:
        return "", True

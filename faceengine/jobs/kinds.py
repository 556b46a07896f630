"""The kinds of jobs. A web app that owns a kind's result registers it; the ledger imports none of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.module_loading import import_string

from faceengine.config import Config
from faceengine.events import Event
from faceengine.jobs.presentation import Presentation

if TYPE_CHECKING:
    from faceengine.jobs.models import Job
    from faceengine.jobs.names import FileName


def _nothing(*_: Any) -> None:
    """A hook that does nothing."""


def _no_more(_: Job) -> dict[str, str]:
    """Nothing is given."""
    return {}


def _as_stored(*_: Any) -> bytes | None:
    """Every file is handed out as it is."""
    return None


def _as_it_is(job: Job) -> UUID | None:
    """A permit that is always given."""
    return job.mandate


class Shows(Enum):
    """The faces that the pictures and videos of a kind's jobs show."""

    REAL = "real"
    """People as they are."""
    SWAPPED = "swapped"
    """They may show a swapped face, without a label in the picture."""
    RESULT = "result"
    """Frames of a converted video, with the label in the picture."""


class Makes(Enum):
    """The part of a converted video that a kind's jobs make."""

    NOTHING = "nothing"
    FRAME = "frame"
    """A preview of one frame, or of a few."""
    PART = "part"
    """A part that is joined with others: it is never handed out, and carries its label only."""
    VIDEO = "video"
    """The video that leaves the studio: with label, metadata and signature."""


@dataclass(frozen=True)
class Split:
    """How a long job becomes parts that run side by side and are joined."""

    plan: str
    """Dotted path of ``plan(config) -> list[dict]``: what of the config differs in each part; fewer than two: no
    split. Must not need torch."""
    part: str
    """Name of the kind of the parts."""
    join: str
    """Dotted path of a stage function whose config is :attr:`join_config`."""
    join_config: str
    """Dotted path of the join's config class: the job's own fields, and ``parts``, the parts' results in order."""


@dataclass(frozen=True)
class Kind:
    """What the ledger must know of a kind of job."""

    name: str
    function: str
    """Dotted path of the stage's ``run(config, run_dir, *, on_event, should_stop) -> Result``."""
    config_class: str
    """Dotted path of its config, which must be importable without torch."""
    may_watch: Callable[[Any, Job], bool]
    """``may_watch(user, job)``: whether a person may see this job, its events and files."""
    may_steer: Callable[[Any, Job], bool]
    """``may_steer(user, job)``: whether a person may pause, cancel and move it."""
    steerable: Callable[[Any, Sequence[Job]], set[UUID]] | None = None
    """``steerable(user, jobs)``: those of ``jobs`` that ``may_steer`` says yes to, for lists; ``None``: it is asked of
    each."""
    presentation: Presentation = field(default_factory=Presentation)
    """Its words, and what pages show of its jobs."""
    shows: Shows = Shows.SWAPPED
    """The faces that its pictures and videos show; decides on consent and marks when they are handed out."""
    makes: Makes = Makes.NOTHING
    """The part of a converted video that it makes; decides on consent and marks when a job begins, and of its files."""
    slot_kind: str = "gpu"
    on_event: Callable[[Job, Event], None] = field(default=_nothing)
    """Called in the transaction that stores the event, with the job as it then is."""
    on_end: Callable[[Job], None] = field(default=_nothing)
    """Called in the transaction that ends the job (done, failed, cancelled)."""
    on_gone: Callable[[Job], None] = field(default=_nothing)
    """Called by a runner when it has let go of the job: the body is dead, and nothing more is written to its folder."""
    permit: Callable[[Job], UUID | None] = field(default=_as_it_is)
    """The mandate that the job may begin or go on with. Asked when it is queued, when it begins, and at every heartbeat
    and checkpoint; raises :class:`faceengine.jobs.permits.Refused`, which ends the job with that code."""
    may_deliver: Callable[[Job, FileName, bool], None] = field(default=_nothing)
    """Called before the job's file of that name, or a log, is shown or handed out; raises ``Refused``. The last
    argument: whether it leaves the studio, not only shown in a page."""
    prepare: Callable[[Job, FileName, bool], bytes | None] = field(default=_as_stored)
    """What is handed out in place of the job's file of that name, which is a small one, or ``None``. The last argument:
    whether it is downloaded, not only shown."""
    before: Callable[[Job], None] = field(default=_nothing)
    """Called by a runner each time before a body of the job begins, and before its inputs are fetched."""
    given: Callable[[Job], dict[str, str]] = field(default=_no_more)
    """What the job's body is told through a pipe, see :mod:`faceengine.given`; its environment holds no secret."""
    confined: bool = False
    """Whether the body reads a stranger's file: it gets no secret, no network and no files but its own."""
    counted: bool = True
    """Whether its jobs, and what they write, count for what :mod:`groups` lets a group have; false where the app that
    owns the kind counts them itself."""
    split: Split | None = None
    silent_after: float = 900.0
    """Seconds without any news after which the watchdog takes the body for hung."""
    longest: float = 0.0
    """Seconds that one attempt may take in all; 0: as long as it likes."""
    processes: int = 1
    """Processes of one body; more than one start through ``torchrun``."""

    @property
    def asks(self) -> bool:
        """Whether jobs of the kind need a permit."""
        return self.permit is not _as_it_is

    @cached_property
    def config(self) -> type[Config]:
        loaded: type[Config] = import_string(self.config_class)
        return loaded


class UnknownKindError(LookupError):
    """No web app has registered that kind."""


_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make ``kind`` known; one registered before under the same name is replaced."""
    _KINDS[kind.name] = kind


def get(name: str) -> Kind:
    """The kind of that name. Raises :class:`UnknownKindError`."""
    try:
        return _KINDS[name]
    except KeyError:
        raise UnknownKindError(name) from None


def names() -> list[str]:
    """The kinds that are known."""
    return list(_KINDS)


def presentations() -> list[Presentation]:
    """Return what each of the known kinds says of itself."""
    return [kind.presentation for kind in _KINDS.values()]


def presentation_of(name: str) -> Presentation:
    """Return what the kind of that name says of itself; nothing for a kind that is not known."""
    kind = _KINDS.get(name)
    return kind.presentation if kind is not None else Presentation()

"""The ledger. The row of a job is the truth about it; queues, runners and pages only follow.

Rows are changed in ``transitions.py`` and nowhere else.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from faceengine.jobs.states import Desired, State

PROTOCOL = 1
"""Raised when a runner of an older version could no longer do a job right; such a runner leaves it to others."""


class Slot(models.Model):
    """One place on one machine where one job at a time can run: a GPU, or a share of the processors."""

    host = models.CharField(max_length=120)
    name = models.CharField(max_length=40)
    """``gpu0``, ``cpu`` …; unique on its host."""
    kind = models.CharField(max_length=10)
    """``gpu`` or ``cpu``: the queue it serves."""
    processor = models.CharField(max_length=10, blank=True, default="")
    """``gpu`` or ``cpu``: what it computes on; a machine without a GPU serves the queue ``gpu`` by its processors."""
    pid = models.IntegerField()
    version = models.CharField(max_length=40)
    protocol = models.PositiveSmallIntegerField(default=PROTOCOL)
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    """Last heartbeat; a slot not seen for a lease's length is gone."""

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["host", "name"], name="one_slot_of_a_name")]

    def __str__(self) -> str:
        return f"{self.host}/{self.name}"


class Job(models.Model):
    """One piece of work that the engine does, from the wish to its end."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    """A name that ``kinds.py`` knows."""
    title = models.CharField(max_length=200, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="jobs")
    config = models.JSONField(default=dict)
    """The stage's config as plain JSON. Its paths are names in the storage, not paths of some machine."""
    slot_kind = models.CharField(max_length=10)
    protocol = models.PositiveSmallIntegerField(default=PROTOCOL)

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    desired = models.CharField(max_length=10, choices=Desired.choices, default=Desired.RUN)
    step = models.CharField(max_length=10, default="run")
    """``run``; or ``plan`` and ``join`` before and after the parts of a job that is split."""

    priority = models.SmallIntegerField(default=0)
    """Higher goes first."""
    rank = models.BigIntegerField(default=0)
    """Within a priority, lower goes first: microseconds since 1970 when it is its group's turn, see ``ranks.py``."""

    attempt = models.PositiveIntegerField(default=0)
    """The fencing token: a runner's every write is conditional on it, so one that was given up changes nothing."""
    failures = models.PositiveSmallIntegerField(default=0)
    """Deaths since the last new checkpoint."""
    lease_until = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)
    """When the body last told of anything new; the watchdog's measure."""
    slot = models.ForeignKey(Slot, models.SET_NULL, null=True, related_name="jobs")

    checkpoint = models.JSONField(null=True)
    """``{"iteration": 300, "path": "checkpoints/…", "attempt": 2}`` of the last one that is durable."""
    files = models.JSONField(default=dict)
    """Name within the job's folder → key in the storage; what a runner on another machine goes on from."""
    progress = models.JSONField(null=True)
    """The last ``Progress`` event's fields."""
    result = models.JSONField(null=True)
    """The stage's result as plain JSON."""
    error_code = models.CharField(max_length=60, blank=True)
    error_text = models.TextField(blank=True)

    mandate = models.UUIDField(null=True, db_index=True)
    """What the job is allowed by, in the words of the app that owns its kind; ``None`` for kinds that ask nobody."""

    group = models.BigIntegerField(null=True)
    """Whose it is, in the words of whoever :mod:`groups` asks; ``None``: only its owner's."""

    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="parts")
    index = models.PositiveIntegerField(null=True)
    """Place among the parent's parts."""
    last_seq = models.PositiveBigIntegerField(default=0)
    """``seq`` of the newest event."""

    stored = models.PositiveBigIntegerField(null=True)
    """Bytes that its folder takes up, as last measured; ``None``: not measured yet."""

    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["parent", "index"], name="one_part_of_an_index"),
            models.UniqueConstraint(
                fields=["slot"], condition=models.Q(state=State.RUNNING), name="one_running_job_a_slot"
            ),
        ]
        indexes: ClassVar = [
            # What a runner claims next: the first row of this index for its kind of slot.
            models.Index(
                "slot_kind",
                models.F("priority").desc(),
                "rank",
                "id",
                condition=models.Q(state=State.QUEUED),
                name="jobs_next",
            ),
            models.Index(fields=["lease_until"], condition=models.Q(state=State.RUNNING), name="jobs_leases"),
            models.Index(fields=["state", "-created_at", "id"], name="jobs_by_state"),
            # What lists show of a group's jobs, and of one's own that are no group's.
            models.Index(
                fields=["group", "state", "-created_at", "id"],
                condition=models.Q(parent=None),
                name="jobs_by_group",
            ),
            models.Index(
                fields=["owner", "state", "-created_at", "id"],
                condition=models.Q(parent=None, group=None),
                name="jobs_by_owner",
            ),
            models.Index(fields=["state"], condition=models.Q(stored=None), name="jobs_unmeasured"),
            models.Index(fields=["group", "stored"], condition=models.Q(stored__gt=0), name="jobs_stored_by_group"),
            models.Index(
                "group",
                "slot_kind",
                models.F("priority").desc(),
                "rank",
                "id",
                condition=models.Q(parent=None, state=State.QUEUED),
                name="jobs_next_of_group",
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.kind} {self.id}"

    @property
    def folder(self) -> str:
        """The name, in the storage, of the folder that the job's files are in."""
        return f"jobs/{self.id}"


class Attempt(models.Model):
    """One go at a job by one runner, with its log."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    """Equal to ``Job.attempt`` while it ran."""
    slot = models.CharField(max_length=160)
    """``host/name``, kept when the slot is gone."""
    outcome = models.CharField(max_length=40, blank=True)
    """Empty while it runs; then ``done``, ``stopped``, or an error code."""
    exit_code = models.IntegerField(null=True)
    """As ``subprocess`` gives it: negative for a signal."""
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    log_removed_at = models.DateTimeField(null=True)
    """When its log was too old to be kept."""

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "number"], name="one_attempt_of_a_number")]

    @property
    def log(self) -> str:
        """The name of its log in the storage: everything the body wrote to its standard error."""
        return f"jobs/{self.job_id}/logs/{self.number}.log"


class JobEvent(models.Model):
    """One line of what happened, in order. ``seq`` counts from 1 within a job, without gaps."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    seq = models.PositiveBigIntegerField()
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=20)
    """The engine's event kinds (``progress``, ``losses``, ``preview``, ``checkpoint``, ``message``), or ``state``."""
    data = models.JSONField()

    class Meta:
        ordering: ClassVar = ["seq"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "seq"], name="one_event_of_a_seq")]

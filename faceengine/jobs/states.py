"""The states of a job, what people may want of it, and which change may follow which.

::

                      claim                    finish
    submit ──▶ queued ──────▶ running ───────────────────▶ done
                 ▲ │ ▲          │ │ │   split ▶ waiting ──▶ queued (last part done: join)
           resume│ │ └──release─┘ │ └────── fail ────────▶ failed ──retry──▶ queued
                 │ ▼ pause        │ stop
               paused ◀───────────┴──────────────────────▶ cancelled ─retry─▶ queued

    done, failed, cancelled ──extend (another config)──▶ queued
"""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    """Where a job is."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    WAITING = "waiting", _("waiting for segments")
    PAUSED = "paused", _("paused")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class Desired(TextChoices):
    """What people want of a job. A running job is brought there by its runner."""

    RUN = "run", _("run")
    PAUSE = "pause", _("pause")
    CANCEL = "cancel", _("cancel")


ENDED = (State.DONE, State.FAILED, State.CANCELLED)
OPEN = (State.QUEUED, State.RUNNING, State.WAITING, State.PAUSED)

ALLOWED: dict[State, tuple[State, ...]] = {
    State.QUEUED: (State.RUNNING, State.PAUSED, State.CANCELLED, State.FAILED),
    State.RUNNING: (State.DONE, State.FAILED, State.QUEUED, State.PAUSED, State.CANCELLED, State.WAITING),
    State.WAITING: (State.QUEUED, State.PAUSED, State.FAILED, State.CANCELLED),
    State.PAUSED: (State.QUEUED, State.WAITING, State.FAILED, State.CANCELLED),
    # Again with another config: more footage to extract, more iterations to train.
    State.DONE: (State.QUEUED,),
    State.FAILED: (State.QUEUED, State.WAITING),
    State.CANCELLED: (State.QUEUED, State.WAITING),
}
"""Which states may follow a state. ``transitions.py`` makes no other change, and a test tries all pairs."""
